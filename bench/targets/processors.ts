import { readFileSync } from 'node:fs';
import koffi from 'koffi';

const MASK_BYTES = 128;

/**
 * Binds this thread to the first or the last of the processors that it may use.
 *
 * Two processes that wait for each other are bound to one each: the scheduler may as well put both on the same, where a
 * switch takes a twentieth of a wake-up across, and does so now here and now there.
 */
export function bindToProcessor(which: 'first' | 'last'): void {
  const list = /^Cpus_allowed_list:\s*(.*)$/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))![1]!;
  const processor = Number(list.match(/\d+/g)!.at(which === 'first' ? 0 : -1));
  const mask = new Uint8Array(MASK_BYTES);
  mask[processor >> 3] = 1 << (processor & 7);
  const bind = koffi.load(null).func('int sched_setaffinity(int, size_t, void *)');
  if (bind(0, MASK_BYTES, mask) !== 0) throw new Error(`sched_setaffinity failed: errno ${koffi.errno()}.`);
}
