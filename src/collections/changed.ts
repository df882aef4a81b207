import type { WaitOptions } from '../heap/internal.js';
import { waitFor } from '../synchronize/internal.js';
import type { Dict } from './dict.js';
import { plainKey } from './dict-keys.js';
import { prepareToWatch } from './watchers.js';

/**
 * Waits until something in a dict is written, or a certain key is.
 *
 * @returns false when it was not in time.
 */
export async function changed(dict: Dict, key: unknown, options: WaitOptions | undefined): Promise<boolean> {
  const plain = plainKey(key);
  const look = key === undefined ? () => dict.lastStamp() : () => dict.stampOf(plain);
  const before = look();
  const { place } = dict;
  const outcome = await waitFor(
    {
      heap: place.heap,
      address: dict.futexAddress,
      look: () => (look() === before ? undefined : true),
      prepareSleep: () => prepareToWatch(place),
    },
    options,
  );
  return outcome ?? false;
}
