import type { Row, Scale } from '../harness/row.js';
import { c, node, peer, python } from './programs.js';

export function synchronizeRows({ seconds }: Scale): Row[] {
  return [
    {
      title: 'Semaphore: acquire and release, free',
      ratio: 'speed',
      seconds,
      ours: node('semaphore-pair'),
      peers: [
        peer('Python', python('semaphore_pair', 'acquire')),
        peer('Python, `with semaphore`', python('semaphore_pair', 'enter')),
        peer('C, sem_t', c('semaphore_pair')),
      ],
    },
    {
      title: 'Condition: turn passed to a process that waits on it',
      ratio: 'time',
      seconds,
      ours: node('condition-turns'),
      peers: [
        peer('C, robust pthread mutex and pthread condition', c('condition_turns')),
        peer('Python', python('condition_turns')),
      ],
    },
    {
      title: 'Barrier: round of two processes',
      ratio: 'time',
      seconds,
      ours: node('barrier-round'),
      peers: [peer('C, pthread barrier', c('barrier_round')), peer('Python', python('barrier_round'))],
    },
    {
      title: 'Event set for a process that sleeps: set to waited',
      ratio: 'time',
      // What is measured is only a part of what it takes.
      seconds: seconds / 10,
      ours: node('event-wake'),
      peers: [peer('C, futex', c('hand_over', 'parked')), peer('Python', python('event_wake'))],
    },
    {
      title: 'Event: isSet',
      ratio: 'speed',
      seconds,
      ours: node('event-is-set'),
      peers: [peer('Python', python('event_is_set'))],
    },
  ];
}
