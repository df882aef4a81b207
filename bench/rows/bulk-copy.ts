import type { Row, Scale } from '../harness/row.js';

export function bulkCopyRows({ seconds, copyBytes }: Scale): Row[] {
  const args = [String(copyBytes)];
  return [
    {
      title: `${copyBytes / 1024 / 1024} MiB copied into shared memory`,
      ratio: 'speed',
      seconds,
      bytes: copyBytes,
      anewEachRound: true,
      ours: { runtime: 'node', name: 'bulk-copy', args },
      peers: [
        { name: 'C, memcpy', program: { runtime: 'c', name: 'bulk_copy', args }, target: 0.9 },
        { name: 'Python', program: { runtime: 'python', name: 'bulk_copy', args } },
      ],
    },
  ];
}
