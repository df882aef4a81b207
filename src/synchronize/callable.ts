/** A class that can be called with or without `new`; `instanceof` works and it can be extended. */
export type Kind<A extends unknown[], T> = { (...args: A): T; new (...args: A): T; readonly prototype: T };

export function callable<A extends unknown[], T extends object>(type: new (...args: A) => T): Kind<A, T> {
  const kind = new Proxy(type, { apply: (target, _, args) => new target(...(args as A)) });
  Object.defineProperty(type.prototype as object, 'constructor', { value: kind, writable: true, configurable: true });
  return kind as unknown as Kind<A, T>;
}
