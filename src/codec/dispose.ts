import { rawPlaceOf } from '../heap/internal.js';
import { sharedKindOf } from './shared-kinds.js';

/**
 * Ends a shared object for everybody, and frees its memory: whoever uses it afterwards, or waits for it, gets
 * `StaleHandleError`. Nobody has to: objects end when no process holds them and no container refers to them. What has a
 * `dispose()` of its own is ended by that; this is for what has none, such as namespaces. Raw memory is freed when the last
 * view of it has gone.
 *
 * @throws TypeError for what is not shared, and for blocks of shared memory, which are ended by `unlink()`; StaleHandleError
 * when somebody has ended it already.
 *
 * @example
 * ```ts
 * import { dispose, handleOf, open, SharedNamespace } from 'multiprocess';
 *
 * const settings = SharedNamespace({ level: 3 });
 * const handle = handleOf(settings);
 * dispose(settings);
 * try {
 *   open(handle);
 * } catch (error) {
 *   console.log((error as Error).name); // StaleHandleError
 * }
 * ```
 */
export function dispose(shared: object): void {
  if (shared === null || typeof shared !== 'object') throw new TypeError('dispose takes a shared object.');
  const kind = sharedKindOf(shared);
  const own = kind === undefined ? undefined : (shared as { dispose?: unknown }).dispose;
  if (typeof own === 'function') return void own.call(shared);
  const place =
    kind?.places?.(shared)[0] ?? rawPlaceOf(ArrayBuffer.isView(shared) ? shared.buffer : (shared as ArrayBuffer));
  if (place === undefined) {
    throw new TypeError(
      `This ${shared.constructor?.name ?? 'object'} cannot be disposed of. A block of shared memory is ended by unlink(); ` +
        'what is not shared belongs to this process alone.',
    );
  }
  place.heap.dispose(place.at);
}
