// What shared containers do, one operation after the other, for checkLinearizable. Values are positive numbers; 0 is nothing.
import type { Call, Model } from './linearizability.js';

export const register = { get: 1, set: 2, delete: 3, increment: 4, compareAndSet: 5 } as const;

/** One key of a dict. `get` gives its value; `delete` whether there was one; `compareAndSet` expects `argument - 1`. */
export const registerModel: Model<number> = {
  initial: 0,
  step(state, { operation, argument, result }) {
    const [after, expected] = apply(state, operation, argument);
    return Number.isNaN(result) || result === expected ? after : undefined;
  },
  describe: String,
};

function apply(state: number, operation: number, argument: number): [after: number, result: number] {
  switch (operation) {
    case register.get:
      return [state, state];
    case register.set:
      return [argument, 0];
    case register.delete:
      return [0, Number(state !== 0)];
    case register.increment:
      return [state + argument, state + argument];
    case register.compareAndSet:
      return state === argument - 1 ? [argument, 1] : [state, 0];
    default:
      throw new Error(`There is no operation ${operation}.`);
  }
}

export const line = { append: 1, takeFirst: 2, takeLast: 3, length: 4, prepend: 5 } as const;

/** A list, or a queue (of which only `append` and `takeFirst` are used). What is taken from an empty one is 0. */
export const lineModel: Model<readonly number[]> = {
  initial: [],
  step(state, { operation, argument, result }: Call) {
    const unknown = Number.isNaN(result);
    switch (operation) {
      case line.append:
        return [...state, argument];
      case line.prepend:
        return [argument, ...state];
      case line.length:
        return unknown || result === state.length ? state : undefined;
      case line.takeFirst:
        return unknown || result === (state[0] ?? 0) ? state.slice(1) : undefined;
      case line.takeLast:
        return unknown || result === (state.at(-1) ?? 0) ? state.slice(0, -1) : undefined;
      default:
        throw new Error(`There is no operation ${operation}.`);
    }
  },
  describe: (state) => state.join(),
};
