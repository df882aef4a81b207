import { types } from 'node:util';

/** The methods of an object that clients may call, and which of them make iterators. */
export interface Exposed {
  readonly methods: readonly string[];
  readonly generators: readonly string[];
}

type Methods = Record<string, (...args: unknown[]) => unknown>;

/**
 * By default all methods whose names do not begin with `_`, inherited ones too.
 *
 * @param named those that the class was registered with, which may be others.
 */
export function exposedBy(instance: object, named: readonly string[] | undefined): Exposed {
  const methods = (named ?? namesOf(instance)).filter((name) => typeof (instance as Methods)[name] === 'function');
  return { methods, generators: methods.filter((name) => types.isGeneratorFunction((instance as Methods)[name])) };
}

function namesOf(instance: object): string[] {
  const names = new Set<string>();
  for (let at: object = instance; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const name of Object.getOwnPropertyNames(at))
      if (name !== 'constructor' && !name.startsWith('_')) names.add(name);
  }
  // A getter is no method, and may have effects.
  return [...names].filter((name) => descriptorOf(instance, name)?.get === undefined);
}

function descriptorOf(instance: object, name: string): PropertyDescriptor | undefined {
  for (let at: object = instance; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name);
    if (found !== undefined) return found;
  }
  return undefined;
}
