import type { Handle } from '../shared-memory/index.js';
import { type Class, parseHandle, sharedKindOf } from './shared-kinds.js';
import { handleOfView, viewNameInHandle } from './shared-views.js';
import { viewClass } from './tags.js';

/**
 * The handle of a shared object: of anything that has a `.handle`, and of typed arrays, Buffers, DataViews and
 * ArrayBuffers over shared memory.
 *
 * @throws TypeError for what is not shared; ClosedError for what has been closed here.
 *
 * @example
 * ```ts
 * import { handleOf, open, SharedMemory } from 'multiprocess';
 *
 * using block = SharedMemory.create(64);
 * const handle = handleOf(block.view(Int32Array, 0, 4)); // text: put it into a message, a file, an env variable
 * const same = open(handle); // in any process of this user
 * same[0] = 7;
 * console.log(block.view(Int32Array)[0]); // 7
 * ```
 */
export function handleOf<T extends object>(shared: T): Handle<T> {
  if (shared === null || typeof shared !== 'object') throw new TypeError('handleOf takes a shared object.');
  const handle = sharedKindOf(shared)?.handle(shared) ?? handleOfView(shared);
  if (handle === undefined) {
    throw new TypeError(
      `This ${shared.constructor?.name ?? 'object'} is not shared: it lies in the memory of this process alone.`,
    );
  }
  return handle as Handle<T>;
}

/**
 * Opens the shared object that a handle addresses, in any process.
 *
 * @param kind the class that the object must be of.
 * @throws StaleHandleError when the object is gone; TypeError when it is of another kind; ValueError for text that is no
 * handle.
 */
export function open<T>(handle: Handle<T>): T;
export function open<T>(handle: string, kind: Openable<T>): T;
export function open(handle: string): unknown;
export function open(handle: string, kind?: unknown): unknown {
  if (typeof handle !== 'string') throw new TypeError(`A handle is a string; got ${typeof handle}.`);
  const { kind: shared, fields } = parseHandle(handle);
  if (kind !== undefined) {
    const type = isView(shared.kind) ? viewClass(viewNameInHandle(fields)) : shared.type;
    if (typeof kind !== 'function' || type === undefined || !isOrExtends(type, kind as Class)) {
      const name = isView(shared.kind) ? viewNameInHandle(fields) : shared.type.name;
      throw new TypeError(`This is the handle of a ${name}, not of a ${String((kind as Class | null)?.name)}.`);
    }
  }
  return shared.open(fields);
}

// A class, or one that can be called without `new`.
type Openable<T> = (abstract new (...args: any[]) => T) | (((...args: any[]) => any) & { readonly prototype: T });

function isView(kind: string): boolean {
  return kind === 'view' || kind === 'raw';
}

function isOrExtends(type: Class, base: Class): boolean {
  return type.prototype === base.prototype || type.prototype instanceof base;
}
