// Processes that are given objects at a server of Redis.
import {
  connect,
  type DictProxy,
  type EngineUrl,
  handleOf,
  type RemoteDict,
  type RemoteJoinableQueue,
  type RemoteLock,
} from 'multiprocess';

export async function useAll(
  dict: RemoteDict<string, any>,
  lock: RemoteLock,
  queue: RemoteJoinableQueue<number>,
): Promise<string> {
  await lock.run(async () => {
    await dict.set('n', (await dict.get('n', 0)) + 1);
  });
  const item = await queue.get();
  await queue.put(item + 1);
  await queue.taskDone();
  await dict.set('queue', queue);
  return handleOf(dict);
}

export async function readErrors(dict: RemoteDict<string, number>): Promise<string[]> {
  const codes: string[] = [];
  for (let i = 0; i < 2; i++) {
    await dict.get('n').catch(({ code }) => codes.push(code));
  }
  return codes;
}

/** Connects by itself, with a secret of its own; objects that it is given are reached by that connection. */
export async function connectFirst(text: string, url: string): Promise<unknown> {
  const manager = await connect(url as EngineUrl);
  const { open } = await import('multiprocess');
  const dict = open(text) as RemoteDict<string, number>;
  const same = await manager.dict(null, { name: 'handed over' });
  const found = [dict === same, await dict.get('n')];
  await manager.close();
  return found;
}

export async function readOutOf(local: DictProxy<string, any>, _known: object): Promise<number> {
  const dict = local.get('remote') as RemoteDict<string, number>;
  return dict.increment('n');
}

export function giveBack(dict: RemoteDict<string, number>): object {
  return { dict };
}
