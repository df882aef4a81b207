// What the children do of the tests that follow CPython's.
import type { Connection, DictProxy, Event, ListProxy, Queue, SimpleQueue, SyncManager } from 'multiprocess';

export function takeSix(queue: Queue<number>, mayStart: Event, goOn: Event): number[] {
  mayStart.waitSync();
  const taken = Array.from({ length: 6 }, () => queue.getSync());
  goOn.set();
  return taken;
}

export function putFour(queue: Queue<number>, mayStart: Event, goOn: Event): void {
  mayStart.waitSync();
  for (let n = 2; n < 6; n++) queue.putSync(n);
  goOn.set();
}

export function putNumbers(queue: Queue<number>, from: number, count: number): void {
  for (let i = 0; i < count; i++) queue.putSync(from + i);
}

export function tellWhetherEmpty(queue: SimpleQueue<boolean>, mayStart: Event, goOn: Event): void {
  mayStart.waitSync();
  queue.put(queue.empty());
  queue.put(queue.empty());
  goOn.set();
}

export async function echoBytes(connection: Connection): Promise<string | undefined> {
  try {
    for (;;) await connection.sendBytes(await connection.recvBytes());
  } catch (error) {
    return (error as { code?: string }).code;
  }
}

export async function sendAll(connection: Connection, messages: readonly Uint8Array[]): Promise<void> {
  for (const message of messages) await connection.sendBytes(message);
  connection.close();
}

/** Looks whether there is something, and takes nothing. */
export async function pollOnly(connection: Connection): Promise<boolean> {
  return connection.poll({ timeout: 20_000 });
}

export async function sendNumbered(connection: Connection, who: number): Promise<void> {
  for (let i = 0; i < 10; i++) await connection.send([i, who]);
  connection.close();
}

/** Everything that was put into these containers elsewhere is seen here, and what is put in here is seen there. */
export function useNested(manager: SyncManager, outer: DictProxy<string, any>): string[] {
  const pets = outer.get('pets') as DictProxy<string, number>;
  pets.set('mice', 3);
  const list = outer.get('list') as ListProxy<unknown>;
  list.append(manager.list(['from the child']));
  outer.get('queue').putSync(['from the child', pets]);
  return [...pets.keys()];
}
