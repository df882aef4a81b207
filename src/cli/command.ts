import type { ParseArgsConfig } from 'node:util';

export const exitCode = { done: 0, failed: 1, usage: 2 } as const;

export interface Command {
  /** One line, for the list of commands. */
  readonly summary: string;
  readonly help: string;
  /** For `parseArgs`, besides `help`. */
  readonly options: NonNullable<ParseArgsConfig['options']>;
  /** What must be given besides options, in this order, as the usage calls it. */
  readonly operands: readonly string[];
  /** @returns the exit code. @throws UsageError; anything else is a failure. */
  run(options: Record<string, string | boolean | undefined>, operands: readonly string[]): Promise<number>;
}

/** Arguments that make no sense. */
export class UsageError extends Error {}
