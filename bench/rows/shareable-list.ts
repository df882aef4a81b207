import type { Row, Scale } from '../harness/row.js';

export function shareableListRows({ seconds }: Scale): Row[] {
  return [row('integer', seconds, 20), row('float', seconds)];
}

function row(item: 'integer' | 'float', seconds: number, target?: number): Row {
  const args = [item];
  const program = { runtime: 'python', name: 'shareable_list', args } as const;
  return {
    title: `ShareableList: read ${item === 'integer' ? 'an integer' : 'a float'}, add 1, write it back`,
    ratio: 'speed',
    seconds,
    ours: { runtime: 'node', name: 'shareable-list', args },
    peers: [{ name: 'Python', program, ...(target === undefined ? {} : { target }) }],
  };
}
