import type { Row, Scale } from '../harness/row.js';
import { c, node, peer, python } from './programs.js';

const MEBIBYTE = 1024 * 1024;

export function queueRows({ seconds }: Scale): Row[] {
  return [
    {
      title: 'Queue: small messages, one producer, one consumer',
      ratio: 'speed',
      seconds,
      ours: node('queue-stream', 'small'),
      peers: [
        peer('Python', python('queue_stream', 'small'), 10),
        peer('child_process IPC', node('ipc-stream', 'small')),
      ],
    },
    {
      title: 'Queue: a small message to another process, and its answer (half of it)',
      ratio: 'time',
      seconds,
      ours: node('queue-round-trip'),
      peers: [
        peer('C, futex', c('hand_over', 'sleeping'), 2),
        peer('Python', python('queue_round_trip')),
        peer('child_process IPC', node('ipc-round-trip')),
      ],
    },
    {
      title: 'Queue: messages of 1 MiB, one producer, one consumer',
      ratio: 'speed',
      seconds,
      bytes: MEBIBYTE,
      ours: node('queue-stream', 'large'),
      peers: [
        peer('C, memcpy', c('bulk_copy', String(64 * MEBIBYTE), String(MEBIBYTE)), 0.5),
        peer('C, memcpy to fresh memory', c('bulk_copy', String(64 * MEBIBYTE), String(MEBIBYTE), 'fresh')),
        peer('Python', python('queue_stream', 'large')),
        peer('child_process IPC', node('ipc-stream', 'large')),
      ],
    },
  ];
}
