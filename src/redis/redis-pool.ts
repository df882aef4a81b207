import type { Pool } from '../pool/index.js';
import { checkCount, PoolObject } from '../pool/internal.js';
import { cpuCount } from '../process/index.js';
import type { Engine } from './engine.js';
import type { PoolBoard } from './pool-board.js';
import { RedisCrew } from './redis-crew.js';

/** The name of a pool of which no other is said, by those who use it and by its workers. */
export const POOL = 'pool';

/** A pool at a server. Its workers come and go by themselves. */
export class RedisPool extends PoolObject implements Pool {
  static {
    Object.defineProperty(RedisPool, 'name', { value: 'Pool' });
  }
}

/** @param processes how many are expected. Default: as many as there are, or else as here are processors. */
export async function openPool(engine: Engine, board: PoolBoard, processes: number | undefined): Promise<RedisPool> {
  const crew = new RedisCrew(engine, board);
  const found = await crew.countWorkers();
  const count = processes ?? (found || cpuCount());
  crew.expect(count);
  return new RedisPool(crew, { processes: count, allowSource: false, sealed: false });
}

/** What is said of a pool at a server. */
export interface PoolRequest {
  readonly name: string;
  readonly processes: number | undefined;
}

/** @throws TypeError and RangeError for what is no option, or none at a server. */
export function readPoolRequest(args: readonly unknown[]): PoolRequest {
  const [first, ...rest] = args;
  const options =
    typeof first === 'object' && first !== null ? (first as Record<string, unknown>) : { processes: first };
  const { name = POOL, processes } = options;
  if (typeof name !== 'string') throw new TypeError(`A name is a string; got ${typeof name}.`);
  if (processes !== undefined && processes !== null) checkCount('processes', processes);
  const [initializer = options['initializer'], initargs = options['initargs']] = rest;
  const given: Record<string, unknown> = { initializer, initargs, maxTasksPerChild: options['maxTasksPerChild'] };
  for (const [option, value] of Object.entries(given)) {
    if (value === undefined || value === null) continue;
    throw new TypeError(
      `${option} is not for pools at a server, whose workers are started by themselves: see 'multiprocess worker --help'.`,
    );
  }
  if (options['allowSource'] === true) {
    throw new TypeError(
      'Functions do not travel as source to other machines: export them from the module of the workers.',
    );
  }
  return { name, processes: (processes as number | null | undefined) ?? undefined };
}
