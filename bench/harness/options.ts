import { parseArgs } from 'node:util';
import type { Scale } from './row.js';

export interface Options {
  readonly scale: Scale;
  /** Whether everything is measured in full. Only then the results are worth keeping. */
  readonly complete: boolean;
  wants(title: string): boolean;
}

const MEBIBYTE = 1024 * 1024;

/** @throws TypeError for arguments that make no sense. */
export function readOptions(argv: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...argv],
    options: { rounds: { type: 'string' }, quick: { type: 'boolean', default: false }, only: { type: 'string' } },
  });
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 7));
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new TypeError(`--rounds takes a whole number from 1; got ${values.rounds}.`);
  const only = values.only
    ?.toLowerCase()
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '');
  return {
    scale: {
      rounds,
      turns: values.quick ? 1 : 5,
      seconds: values.quick ? 0.1 : 0.12,
      copyBytes: (values.quick ? 16 : 64) * MEBIBYTE,
    },
    complete: !values.quick && only === undefined,
    wants: (title) => only === undefined || only.some((part) => title.toLowerCase().includes(part)),
  };
}
