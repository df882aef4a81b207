import type { Row, Scale } from '../harness/row.js';
import { c, node, peer, python } from './programs.js';

/** Arrays without a lock, which have no class of their own. */
export function rawArrayRows({ seconds }: Scale): Row[] {
  return [
    {
      title: 'RawArray of doubles: add 1 to an element',
      ratio: 'speed',
      seconds,
      ours: node('raw-array-elements'),
      peers: [peer('Python', python('array_elements', 'raw'), 50)],
    },
  ];
}

export function typedValueRows({ seconds }: Scale): Row[] {
  return [
    {
      title: 'Value: add 1 under its lock, free',
      ratio: 'speed',
      seconds,
      ours: node('value-increment', 'acquire'),
      peers: [peer('Python, `with v.get_lock()`', python('value_increment'), 20)],
    },
    {
      title: 'Value: add 1 by runSync, free',
      ratio: 'speed',
      seconds,
      ours: node('value-increment', 'run'),
      peers: [peer('Python, `with v.get_lock()`', python('value_increment'))],
    },
    {
      title: 'Value: add 1 under its lock, two processes contending',
      ratio: 'speed',
      seconds,
      ours: node('value-count', 'lock'),
      peers: [
        peer('Python, `with v.get_lock()`', python('value_count'), 10),
        peer('C, robust pthread mutex', c('mutex_count', 'robust'), 0.5),
        peer('C, pthread mutex', c('mutex_count', 'plain')),
      ],
    },
    {
      title: 'Value.add, free',
      ratio: 'speed',
      seconds,
      ours: node('value-increment', 'add'),
      peers: [
        peer('Atomics.add on a SharedArrayBuffer', node('atomics-add', 'free')),
        peer('C, atomic add', c('add_count', 'free')),
        peer('Python, `with v.get_lock()`', python('value_increment')),
      ],
    },
    {
      title: 'Value.add, two processes contending',
      ratio: 'speed',
      seconds,
      ours: node('value-count', 'add'),
      peers: [
        peer('Atomics.add by two worker threads', node('atomics-add', 'contended')),
        peer('C, atomic add by two processes', c('add_count', 'contended')),
        peer('Python, `with v.get_lock()`', python('value_count')),
      ],
    },
    {
      title: 'SharedArray of doubles: add 1 to an element by get and set',
      ratio: 'speed',
      seconds,
      ours: node('shared-array-elements'),
      peers: [peer('Python', python('array_elements', 'locked'), 20)],
    },
  ];
}
