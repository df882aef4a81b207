import type { Row, Scale } from '../harness/row.js';
import { c, node, peer, python } from './programs.js';

export function heapRows({ seconds }: Scale): Row[] {
  return [
    {
      title: 'Heap: transaction of ten logged words, with its lock and sequence',
      ratio: 'time',
      seconds,
      // Where code and memory happen to lie makes more of a difference than the hook.
      anewEachRound: true,
      ours: node('heap-transaction', 'as-it-is'),
      peers: [
        // The tests' hook costs nothing that could be measured when it is off.
        peer('the same without the step hook', node('heap-transaction', 'without-hook'), 1.05),
        peer('C, the same stores under a robust pthread mutex', c('ten_stores', 'logged')),
        peer('C, ten stores under a robust pthread mutex', c('ten_stores', 'plain')),
      ],
    },
    {
      title: 'Heap: 64 bytes allocated and freed, a transaction each',
      ratio: 'speed',
      seconds,
      ours: node('heap-block'),
      peers: [
        peer('Python, BufferWrapper', python('heap_block')),
        peer('C, malloc and free under a robust pthread mutex', c('heap_block')),
      ],
    },
    {
      title: 'Heap: object created and dropped',
      ratio: 'speed',
      seconds,
      ours: node('heap-object'),
      peers: [peer('Python, Lock', python('lock_create'))],
    },
    {
      title: 'Heap that exists: joined and left',
      ratio: 'time',
      seconds,
      ours: node('heap-join'),
      peers: [peer('C, open, mmap, lock of a byte, close', c('heap_join'))],
    },
  ];
}
