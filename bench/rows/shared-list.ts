import type { Row, Scale } from '../harness/row.js';

const titles = {
  append: 'SharedList: append an integer',
  get: 'SharedList: get an integer by index',
  iterate: 'SharedList: iterate over 1000 integers, for each',
} as const;
type Kind = keyof typeof titles;

/** Beside a managed list of Python's, and, for orientation, an array. */
export function sharedListRows({ seconds }: Scale): Row[] {
  return (Object.keys(titles) as Kind[]).map((kind) => ({
    title: titles[kind],
    ratio: 'speed',
    seconds,
    ours: { runtime: 'node', name: 'shared-list', args: [kind, 'shared'] },
    peers: [
      {
        name: 'Python',
        program: { runtime: 'python', name: 'managed_list', args: [kind] },
        ...(kind === 'iterate' ? {} : { target: 50 }),
      },
      { name: 'Array', program: { runtime: 'node', name: 'shared-list', args: [kind, 'array'] } },
    ],
  }));
}
