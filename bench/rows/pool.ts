import type { Row, Scale } from '../harness/row.js';
import { node, peer, python } from './programs.js';

export function poolRows({ seconds }: Scale): Row[] {
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
      title: 'Pool: map of 1,000 tasks with 1 MiB each, 2 workers',
      ratio: 'speed',
      seconds,
      ours: node('pool-map', 'large', '1000'),
      peers: [peer('Python', python('pool_map', 'large', '1000'), 3)],
    },
  ];
}
