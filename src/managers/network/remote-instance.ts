import { MultiprocessError } from '../../errors/index.js';
import { StreamMark } from '../client-messages.js';
import type { AsyncForm, Methods } from '../remote.js';
import type { RemoteConnection } from './remote-connection.js';
import { connectionOf, invoke, RemoteProxy } from './remote-object.js';
import { say } from './wire.js';

/** An object of a registered type in a manager on another machine: all its methods return promises. */
export type RemoteInstance<T> = {
  [K in keyof Methods<T>]: AsyncForm<Methods<T>[K]>;
};

const shapes = new Map<string, new (connection: RemoteConnection, number: number) => RemoteProxy>();

/** What an object of that type is seen through: it has the methods that the other side says. */
export function instanceClass(
  typeid: string,
  methods: readonly string[],
  generators: readonly string[],
): new (
  connection: RemoteConnection,
  number: number,
) => RemoteProxy {
  const key = JSON.stringify([typeid, methods, generators]);
  const known = shapes.get(key);
  if (known !== undefined) return known;
  class Shape extends RemoteProxy {}
  Object.defineProperty(Shape, 'name', { value: typeid });
  for (const method of methods) {
    const value = generators.includes(method)
      ? function (this: RemoteProxy, ...args: unknown[]) {
          return iterateCall(this, method, args);
        }
      : function (this: RemoteProxy, ...args: unknown[]) {
          return callInstance(this, method, args);
        };
    Object.defineProperty(value, 'name', { value: method });
    Object.defineProperty(Shape.prototype, method, { value, writable: true, configurable: true });
  }
  shapes.set(key, Shape);
  return Shape;
}

async function callInstance(proxy: RemoteProxy, method: string, args: unknown[]): Promise<unknown> {
  const found: unknown = await invoke(proxy, method, args);
  return found instanceof StreamMark ? iterate(proxy, found) : found;
}

async function* iterateCall(proxy: RemoteProxy, method: string, args: unknown[]): AsyncGenerator<unknown> {
  const found: unknown = await invoke(proxy, method, args);
  if (!(found instanceof StreamMark)) {
    throw new MultiprocessError(`The method '${method}' did not return the iterator that it returned before.`);
  }
  yield* iterate(proxy, found);
}

async function* iterate(proxy: RemoteProxy, { number }: StreamMark): AsyncGenerator<unknown> {
  const connection = connectionOf(proxy);
  let over = false;
  try {
    for (;;) {
      over = true; // if it fails there, there is nothing to leave
      const [done, value] = (await connection.stream(say.next, number)) as [boolean, unknown];
      if (done) return;
      over = false;
      yield value;
    }
  } finally {
    if (!over) await connection.stream(say.leave, number);
  }
}
