import { type FunctionLocation, findFunction, inspectFunction, locateFunction } from '../codec/internal.js';
import { captureFunction, isExported } from './capture.js';
import { importModule } from './import-module.js';
import { reviveSource } from './revive-source.js';
import type { SourceFunction } from './source-function.js';

/** A function as it travels to another process: by where its module is, or as its source. */
export type TravellingFunction =
  | { readonly location: FunctionLocation }
  /** The first one is it. */
  | { readonly functions: readonly SourceFunction[] };

type Fn = (...args: never[]) => unknown;

const exported = new WeakSet<Fn>();

/**
 * @throws NotShareableError for a function that cannot travel, as far as that can be known here; TypeError for a class, which is
 * not called.
 */
export function travelling(fn: Fn, allowSource: boolean): TravellingFunction {
  if (isClass(fn)) throw new TypeError(`${fn.name || 'This'} is a class; give a function that makes an instance.`);
  if (!allowSource || exported.has(fn) || isNative(fn)) return { location: locateFunction(fn) };
  if (isExported(fn, inspectFunction(fn))) {
    exported.add(fn);
    return { location: locateFunction(fn) };
  }
  return { functions: captureFunction(fn, inspectFunction(fn, { variables: true })) };
}

/** The function that has arrived; imports its module, or those that it uses. */
export async function reviveFunction(travelled: TravellingFunction): Promise<(...args: unknown[]) => unknown> {
  if ('functions' in travelled) return reviveSource(travelled.functions);
  return findFunction(await importModule(travelled.location.url), travelled.location);
}

function isNative(fn: Fn): boolean {
  return Function.prototype.toString.call(fn).endsWith('{ [native code] }');
}

export function isClass(fn: Fn): boolean {
  return /^class\b/.test(Function.prototype.toString.call(fn));
}
