import { type ManagedWork, managedWork } from '../harness/managed-work.js';
import type { Row, Scale } from '../harness/row.js';
import { node, peer, python, redis } from './programs.js';

/** What they are called, and how many times as fast as Python's they are to be. */
const works: Record<ManagedWork, { title: string; target: number }> = {
  'dict get': { title: 'Managed dict: get a small object', target: 80 },
  'dict set': { title: 'Managed dict: set a small object', target: 50 },
  'list append': { title: 'Managed list: append a number', target: 50 },
  'list get': { title: 'Managed list: get a number', target: 50 },
  'namespace get': { title: 'Managed namespace: get a number', target: 50 },
  'namespace set': { title: 'Managed namespace: set a number', target: 50 },
  'lock pair': { title: 'Managed lock: acquire and release', target: 1000 },
};
const inClusterSharedMemory = new Set<ManagedWork>(['dict get', 'dict set', 'lock pair']);
const UNDER_WAY = '64';
const PROCESSES = [1, 2, 5, 10, 20, 50];
const QUICK_PROCESSES = [1, 5];

export function managerRows({ seconds, turns }: Scale): Row[] {
  const operations = managedWork.map(
    (work): Row => ({
      title: works[work].title,
      ratio: 'speed',
      seconds,
      ours: node('managed', work),
      peers: [
        peer('Python', python('managed', work), works[work].target),
        peer('Redis, Unix socket, ioredis', redis('redis', work)),
        ...(inClusterSharedMemory.has(work)
          ? [peer('cluster-shared-memory', node('cluster-shared-memory', work))]
          : []),
      ],
    }),
  );
  const call = (title: string, how: string, withPython: boolean): Row => ({
    title: `Manager: call to an object of a registered type and back, ${title}`,
    ratio: 'time',
    seconds,
    ours: node('remote-call', how),
    peers: [
      peer('bare Unix-socket echo in Node', node('socket-echo', how), 1.3),
      ...(withPython ? [peer('Python', python('remote_call'))] : []),
    ],
  });
  const connected = (turns === 1 ? QUICK_PROCESSES : PROCESSES).map(
    (processes): Row => ({
      title: `Managed dict: get or set a number, ${processes === 1 ? '1 process' : `${processes} processes together`}`,
      ratio: 'speed',
      seconds,
      ours: node('connected-processes', 'managed', String(processes)),
      peers: [
        peer('Python', python('connected_processes', String(processes))),
        peer('Redis, Unix socket, ioredis', redis('connected-processes', 'redis', String(processes))),
      ],
    }),
  );
  return [
    ...operations,
    {
      title: 'Manager: make a dict',
      ratio: 'speed',
      seconds,
      ours: node('managed', 'make'),
      peers: [peer('Python', python('managed', 'make'))],
    },
    call('awaited', 'awaited', true),
    call('blocking', 'blocking', true),
    call(`${UNDER_WAY} under way`, UNDER_WAY, false),
    {
      title: 'Manager: start and shutdown',
      ratio: 'time',
      // One start takes tens of milliseconds, and starts differ.
      seconds: 3 * seconds,
      ours: node('manager-start'),
      peers: [
        peer('Python, method spawn', python('manager_start', 'spawn')),
        peer('Python, method fork', python('manager_start', 'fork')),
      ],
    },
    ...connected,
  ];
}
