import type { Row, Scale } from '../harness/row.js';
import { node, peer, python } from './programs.js';

export function namespaceRows({ seconds }: Scale): Row[] {
  return (['get', 'set'] as const).map((work) => ({
    title: `Namespace: ${work} a number`,
    ratio: 'speed',
    seconds,
    ours: node('namespace', work, 'shared'),
    peers: [
      peer('Python, managed Namespace', python('managed_namespace', work), 50),
      peer('object', node('namespace', work, 'object')),
    ],
  }));
}
