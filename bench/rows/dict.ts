import type { Peer, Row, Scale } from '../harness/row.js';
import { node, nodeWith, peer, python } from './programs.js';

const [FEW, MANY] = ['1000', '1000000'];

/** Stores of others: in a file that is mapped, on the file system of the shared memory, and without waiting for a disk. */
const lmdb = (work: string, value: string, target?: number): Peer =>
  peer('lmdb', nodeWith('lmdb@3.5.6', 'lmdb', work, value, FEW), target);
/** Compiled when it is installed, which takes a compiler and Node's headers. So it is not among what is always installed. */
const ems = (work: string, value: string): Peer => peer('ems', nodeWith('ems@1.6.1', 'ems', work, value, FEW));

export function dictRows({ seconds }: Scale): Row[] {
  const row = (title: string, work: string, value: string, target?: number, others: readonly Peer[] = []): Row => ({
    title: `Dict of 1000: ${title}`,
    ratio: 'speed',
    seconds,
    ours: node('dict', work, value, FEW),
    peers: [
      peer('Python, managed dict', python('managed_dict', work, value), target),
      ...others,
      peer('Map', node('map', work, value, FEW)),
    ],
  });
  const large = (title: string, work: string, value: string, target?: number): Row => ({
    title: `Dict of 1 000 000 against one of 1000: ${title}`,
    ratio: 'speed',
    seconds,
    ours: node('dict', work, value, MANY),
    peers: [
      peer('of 1000', node('dict', work, value, FEW), target),
      // What the same costs where nothing is shared: most of it are misses of the caches.
      peer('Map of 1 000 000', node('map', work, value, MANY)),
    ],
  });
  return [
    row('get a number', 'get', 'number', 200, [lmdb('get', 'number'), ems('get', 'number')]),
    row('set a number', 'set', 'number', 100, [lmdb('set', 'number'), ems('set', 'number')]),
    row('get a small object', 'get', 'object', 80, [lmdb('get', 'object', 1), ems('get', 'object')]),
    row('set a small object', 'set', 'object', 50, [lmdb('set', 'object', 5), ems('set', 'object')]),
    row('has', 'has', 'number'),
    row('delete a number, and set it again', 'delete', 'number'),
    row('iterate over numbers, for each', 'iterate', 'number'),
    large('get a number', 'get', 'number', 0.5),
    large('set a number', 'set', 'number', 0.5),
    large('get a small object', 'get', 'object'),
    large('set a small object', 'set', 'object'),
    large('has', 'has', 'number'),
    large('delete a number, and set it again', 'delete', 'number'),
    large('iterate over numbers, for each', 'iterate', 'number'),
    {
      title: 'Dict of 1000: get a number, two processes at once',
      ratio: 'speed',
      seconds,
      ours: node('dict-two-readers', 'two'),
      peers: [peer('one process', node('dict-two-readers', 'one'), 1.7)],
    },
    ...['number', 'object'].map(
      (value): Row => ({
        title: `Dict of 100 000: memory for each entry, ${value === 'number' ? 'a number' : 'a small object'}`,
        ratio: 'time',
        unit: 'bytes',
        seconds,
        ours: node('dict-memory', 'dict', value),
        peers: [peer('Map', node('dict-memory', 'map', value))],
      }),
    ),
  ];
}
