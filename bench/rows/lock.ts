import type { Row, Scale } from '../harness/row.js';
import { c, node, peer, python } from './programs.js';

type Kind = 'Lock' | 'RLock';

export function lockRows({ seconds }: Scale): Row[] {
  return [
    {
      ...pair('Lock', 'acquire', seconds),
      peers: [
        peer('Python', python('lock_pair', 'Lock', 'acquire'), 6),
        peer('Python, `with lock`', python('lock_pair', 'Lock', 'enter')),
        // At most twice the time.
        peer('two bare CAS in Node', node('cas-pair'), 0.5),
        peer('C, two bare CAS', c('cas_pair')),
        peer('C, pthread mutex', c('mutex_pair', 'plain')),
        peer('C, robust pthread mutex', c('mutex_pair', 'robust')),
      ],
    },
    { ...pair('Lock', 'try', seconds), peers: [peer('Python', python('lock_pair', 'Lock', 'try'))] },
    {
      ...pair('RLock', 'acquire', seconds),
      peers: [
        peer('Python', python('lock_pair', 'RLock', 'acquire')),
        peer('Python, `with lock`', python('lock_pair', 'RLock', 'enter')),
      ],
    },
    {
      ...count('Lock', seconds),
      peers: [
        peer('Python', python('lock_count', 'Lock'), 10),
        peer('C, robust pthread mutex', c('mutex_count', 'robust'), 0.5),
        peer('C, pthread mutex', c('mutex_count', 'plain')),
      ],
    },
    { ...count('RLock', seconds), peers: [peer('Python', python('lock_count', 'RLock'))] },
    {
      title: 'Lock handed over to a process that waits, both busy',
      ratio: 'time',
      seconds,
      most: 2e-6,
      ours: node('lock-hand-over', 'busy'),
      peers: [
        peer('C, one word and no sleep', c('hand_over', 'spinning')),
        peer('C, futex', c('hand_over', 'sleeping')),
        peer('Python', python('lock_hand_over')),
      ],
    },
    {
      title: 'Lock handed over to a process that sleeps: release to acquired',
      ratio: 'time',
      // What is measured is only a part of what it takes.
      seconds: seconds / 10,
      ours: node('lock-hand-over', 'parked'),
      peers: [peer('C, futex', c('hand_over', 'parked'), 1.3)],
    },
    {
      title: 'Lock handed over to an async acquire: release to resolved',
      ratio: 'time',
      seconds: seconds / 10,
      ours: node('lock-hand-over', 'async'),
      peers: [],
    },
    {
      title: 'Lock whose holder is killed: death to acquired by one who waits',
      ratio: 'time',
      // One in a turn: it takes a process.
      seconds: 1e-6,
      most: 0.1,
      ours: node('lock-dead-holder'),
      peers: [],
    },
  ];
}

function pair(kind: Kind, how: 'acquire' | 'try', seconds: number): Omit<Row, 'peers'> {
  const title = `${kind}: ${how === 'try' ? 'try to acquire' : 'acquire'} and release, free`;
  return { title, ratio: 'speed', seconds, ours: node('lock-pair', kind, how) };
}

function count(kind: Kind, seconds: number): Omit<Row, 'peers'> {
  const title = `${kind}: add 1 under it, two processes contending`;
  return { title, ratio: 'speed', seconds, ours: node('lock-count', kind) };
}
