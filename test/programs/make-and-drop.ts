// What each of the processes does that make very many objects: makes them, tells others of some, and drops them all.
import { handleOf, Lock, open, RawArray, RawValue, RLock } from 'multiprocess';
import { collectGarbage } from '../support/gc.js';

/** So many lie about at most before they are collected. */
export const AT_ONCE = 2000;
export const MAILBOX_BYTES = 128;

/**
 * Makes objects until `made[number]` says that there are `count`; every 16th is shown to others by its handle while it is
 * held, and one that another shows is opened.
 *
 * @param mailbox a handle, guarded by `lock`; its first byte says how long it is.
 */
export async function makeAndDrop(
  count: number,
  number: number,
  made: Int32Array,
  opened: Int32Array,
  lock: Lock,
  mailbox: Uint8Array,
): Promise<void> {
  let kept: unknown[] = [];
  for (let total = Atomics.load(made, number); total < count; total++) {
    const kind = total % 4;
    const object =
      kind === 0
        ? new Lock()
        : kind === 1
          ? new RLock()
          : kind === 2
            ? RawValue('i', total)
            : RawArray('d', 1 + (total % 50));
    if (object instanceof Lock && !object.tryAcquire()) throw new Error('a new lock is not free');
    if (total % 16 < 2) {
      const other = lock.runSync(() => {
        const shown = Buffer.from(mailbox.subarray(1, 1 + mailbox[0]!)).toString('latin1');
        const handle = Buffer.from(handleOf(object), 'latin1');
        mailbox.set(handle, 1);
        mailbox[0] = handle.length;
        return shown;
      });
      try {
        if (other !== '') kept.push(open(other as never));
        Atomics.add(opened, 0, 1);
      } catch (error) {
        // Who showed it has dropped it, or is dead.
        if ((error as { code?: string }).code !== 'ERR_MULTIPROCESS_STALE_HANDLE') throw error;
      }
    }
    kept.push(object);
    Atomics.store(made, number, total + 1);
    if (kept.length < AT_ONCE) continue;
    kept = [];
    await collectGarbage();
  }
}
