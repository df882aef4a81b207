import { MultiprocessError } from '../errors/index.js';
import { type Connection, DIAL_MS, type Dial, LostError, ReplyError } from './port.js';

const OLDEST_MAJOR = 7;

export interface Up {
  readonly connection: Connection;
  /** Which process of which server. */
  readonly run: string;
  /** Whether that server is one of a cluster. */
  readonly isCluster: boolean;
}

/** Connects, and finds out who is there. @param isFirst whether it has to be a primary. */
export async function meet(dial: Dial, isFirst: boolean): Promise<Up> {
  const dialling = dial();
  let connection: Connection;
  try {
    connection = await inTime(dialling);
  } catch (error) {
    dialling.then(
      (late) => late.end(),
      () => {},
    );
    throw error;
  }
  try {
    const facts = String(await inTime(connection.call(['INFO', 'server'])));
    const role = String(await inTime(connection.call(['INFO', 'replication'])));
    const [, version = '?', major = '0'] = /^redis_version:((\d+)[\w.]*)/m.exec(facts) ?? [];
    if (Number(major) < OLDEST_MAJOR) {
      throw new MultiprocessError(`The server is of version ${version}; needed is Redis 7, or Valkey 7.2, or later.`, {
        code: 'ERR_MULTIPROCESS_ENGINE',
      });
    }
    if (/^role:slave/m.test(role) && isFirst) throw new ReplyError('READONLY');
    const [, run = ''] = /^run_id:(\w+)/m.exec(facts) ?? [];
    connection.unref();
    return { connection, run, isCluster: /^redis_mode:cluster/m.test(facts) };
  } catch (error) {
    connection.end();
    throw error;
  }
}

async function inTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LostError(`no answer within ${DIAL_MS} ms`)), DIAL_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** @param expected whether the server is to be one of a cluster. @throws MultiprocessError when it is not so. */
export function checkMode(isCluster: boolean, expected: boolean): void {
  if (isCluster === expected) return;
  const what = isCluster
    ? "The server is one of a cluster. Give a list of some of its servers: connect(['redis://…', 'redis://…'])."
    : 'The server is none of a cluster. Give its address alone, and no list.';
  throw new MultiprocessError(what, { code: 'ERR_MULTIPROCESS_ENGINE' });
}
