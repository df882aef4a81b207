// What runs in the processes of a worker at a server: they import the user's module once, and find the functions in it.
import { inspect } from 'node:util';
import { findFunction } from '../codec/internal.js';
import { NotShareableError } from '../errors/index.js';
import { importModule } from '../process/internal.js';
import { type Sealed, seal, unseal } from './task-payload.js';

type Fn = (...args: unknown[]) => unknown;

/** An error of a task. */
export interface Failed {
  readonly failed: Sealed;
}

let module: Record<string, unknown>;
let url: string;
const found = new Map<string, Fn>();

export async function prepare(moduleUrl: string): Promise<void> {
  module = await importModule(moduleUrl);
  url = moduleUrl;
}

/** So it is known that the process is ready. */
export function ready(): true {
  return true;
}

/** A task is the name of a function, whether its argument is an array of them, and that. */
export function perform(name: string, spread: boolean, item: Sealed): Sealed | Failed | Promise<Sealed | Failed> {
  try {
    const fn = functionOf(name);
    const argument = unseal(item);
    const result = spread ? fn(...(argument as unknown[])) : fn(argument);
    return isThenable(result)
      ? result.then((value) => seal(value, 'result')).then(undefined, failed)
      : seal(result, 'result');
  } catch (error) {
    return failed(error);
  }
}

function functionOf(name: string): Fn {
  let fn = found.get(name);
  if (fn === undefined) {
    fn = findFunction(module, { url, exportName: name });
    found.set(name, fn);
  }
  return fn;
}

function failed(error: unknown): Failed {
  try {
    return { failed: seal(error, 'error') };
  } catch {
    return { failed: seal(new NotShareableError(`The task threw ${inspect(error)}, which cannot travel.`)) };
  }
}

function isThenable(value: unknown): value is Promise<unknown> {
  return (
    value !== null &&
    (typeof value === 'object' || typeof value === 'function') &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}
