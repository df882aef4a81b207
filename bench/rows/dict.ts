import type { Row, Scale } from '../harness/row.js';
import { node, peer, python } from './programs.js';

export function dictRows({ seconds }: Scale): Row[] {
  const row = (title: string, work: string, value: string, target: number): Row => ({
    title: `Dict of 1000: ${title}`,
    ratio: 'speed',
    seconds,
    ours: node('dict', work, value, '1000'),
    peers: [
      peer('Python, managed dict', python('managed_dict', work, value), target),
      peer('Map', node('map', work, value)),
    ],
  });
  const large = (work: string, target: number): Row => ({
    title: `Dict of 1 000 000 against one of 1000: ${work} a number`,
    ratio: 'speed',
    seconds,
    ours: node('dict', work, 'number', '1000000'),
    peers: [peer('of 1000', node('dict', work, 'number', '1000'), target)],
  });
  return [
    row('get a number', 'get', 'number', 200),
    row('set a number', 'set', 'number', 100),
    row('get a small object', 'get', 'object', 80),
    row('set a small object', 'set', 'object', 50),
    large('get', 0.5),
    large('set', 0.5),
  ];
}
