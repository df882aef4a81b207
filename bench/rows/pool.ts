import type { Row, Scale } from '../harness/row.js';
import { node, peer, python } from './programs.js';

export function poolRows({ seconds, copyBytes }: Scale): Row[] {
  // A quick run copies less.
  const large = String(copyBytes < 64 * 1024 * 1024 ? 100 : 1000);
  return [
    {
      title: 'Pool: map of 10,000 trivial tasks, 2 workers',
      ratio: 'speed',
      seconds,
      ours: node('pool-map', 'trivial', '10000'),
      peers: [
        peer('Python', python('pool_map', 'trivial', '10000'), 2),
        peer('piscina', node('piscina-map', '10000'), 1),
      ],
    },
    {
      title: 'Pool: the same, each task handed over by itself',
      ratio: 'speed',
      seconds,
      ours: node('pool-map', 'single', '10000'),
      peers: [peer('Python', python('pool_map', 'single', '10000')), peer('piscina', node('piscina-map', '10000'))],
    },
    {
      title: `Pool: map of ${Number(large).toLocaleString('en')} tasks with 1 MiB each, 2 workers`,
      ratio: 'speed',
      seconds,
      ours: node('pool-map', 'large', large),
      peers: [peer('Python', python('pool_map', 'large', large), 3)],
    },
  ];
}
