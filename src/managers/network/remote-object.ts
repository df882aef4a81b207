import { inspect } from 'node:util';
import { registerSharedKind } from '../../codec/internal.js';
import { NotShareableError } from '../../errors/index.js';
import type { WaitOptions } from '../../heap/internal.js';
import { markUncloneable, refuseJson } from '../../shared-memory/internal.js';
import { remoteMethods } from './methods.js';
import type { RemoteConnection } from './remote-connection.js';

/** What all objects have that lie in a manager on another machine. They travel only through the connection they came by. */
export interface RemoteObject {
  /** Ends it for all, there. @throws (rejects) StaleHandleError when somebody has already. */
  dispose(): Promise<void>;
}

/** Not for users. */
export abstract class RemoteProxy {
  readonly #connection: RemoteConnection;
  readonly #number: number;

  constructor(connection: RemoteConnection, number: number) {
    this.#connection = connection;
    this.#number = number;
    markUncloneable(this);
  }

  /** Calls the object's method on the other side; of one that waits, with options. See `RemoteConnection.call`. */
  static call(
    proxy: RemoteProxy,
    method: string,
    args: readonly unknown[],
    options?: WaitOptions,
    patient?: boolean,
  ): Promise<any> {
    return proxy.#call(method, args, options, patient);
  }

  /** The same, of an object of a registered type. */
  static async invoke(proxy: RemoteProxy, method: string, args: readonly unknown[]): Promise<unknown> {
    const answer = await proxy.#connection.invoke(proxy.#number, method, args);
    return proxy !== undefined ? answer : undefined;
  }

  static connectionOf(proxy: RemoteProxy): RemoteConnection {
    return proxy.#connection;
  }

  /** The proxy is held until the answer is there, and with it the object. */
  async #call(method: string, args: readonly unknown[], options?: WaitOptions, patient?: boolean): Promise<unknown> {
    const answer = await this.#connection.call(this.#number, method, args, options, patient);
    return this !== undefined ? answer : undefined;
  }

  /** @throws TypeError: it is no data. */
  toJSON(): never {
    return refuseJson(this.constructor.name);
  }

  [inspect.custom](): string {
    return `${this.constructor.name} { ${this.#connection.address} }`;
  }
}

export const { call, connectionOf, invoke } = RemoteProxy;

type Class = abstract new (...args: never[]) => RemoteProxy;

/**
 * Gives a class the methods that objects of a kind have on the other side, where it has none of that name itself, and the name
 * by which it is shown.
 */
export function forwards(type: Class, name: string, kind: string): void {
  Object.defineProperty(type, 'name', { value: name });
  const { plain, waiting } = remoteMethods[kind]!;
  for (const method of [...plain, 'dispose']) {
    define(type, method, async function (this: RemoteProxy, ...args: unknown[]) {
      return call(this, method, args);
    });
  }
  for (const [method, count] of Object.entries(waiting)) {
    define(type, method, async function (this: RemoteProxy, ...args: unknown[]) {
      return call(this, method, args.slice(0, count), (args[count] ?? {}) as WaitOptions);
    });
  }
}

function define(type: Class, method: string, value: (...args: unknown[]) => unknown): void {
  if (method in type.prototype) return;
  Object.defineProperty(value, 'name', { value: method });
  Object.defineProperty(type.prototype, method, { value, writable: true, configurable: true });
}

registerSharedKind<RemoteProxy>({
  kind: 'far',
  type: RemoteProxy,
  handle: (proxy) => {
    throw new NotShareableError(
      `A ${proxy.constructor.name} lies on another machine, and has no handle here. Who else needs it connects, too.`,
    );
  },
  open: () => {
    throw new NotShareableError('An object on another machine has no handle here.');
  },
});
