import type { DictSettings } from './dict-table.js';

const MOST_ENTRIES = 0x7fff_ffff;

/** How a dict is made. */
export interface DictOptions {
  /** Only for dicts made by a manager: one without has no names. */
  name?: string | undefined;
  /** Milliseconds after which an entry is gone, from when it was last set. Default: never. */
  ttl?: number;
  /** The most entries there are: one more, and the one that was inserted first goes. Default: as many as there is room for. */
  maxEntries?: number;
}

/** How an entry is set. */
export interface SetOptions {
  /** Milliseconds after which it is gone; Infinity for never. Default: what the dict was made with. */
  ttl?: number | undefined;
}

/** @throws TypeError for what is no option, RangeError for one out of range. */
export function settingsFrom(options: DictOptions | undefined): DictSettings {
  if (options === undefined) return { ttl: 0, maxEntries: 0 };
  refuseOther(options, '{ ttl, maxEntries }');
  const { name, maxEntries } = options;
  if (name !== undefined) {
    throw new TypeError(
      'Names belong to managers: make the dict with manager.dict(init, { name }), or pass it on by itself.',
    );
  }
  if (maxEntries !== undefined) {
    if (typeof maxEntries !== 'number') throw new TypeError(`maxEntries is a number; got ${typeof maxEntries}.`);
    if (!Number.isInteger(maxEntries) || maxEntries < 1 || maxEntries > MOST_ENTRIES) {
      throw new RangeError(`maxEntries is an integer from 1 to ${MOST_ENTRIES}; got ${maxEntries}.`);
    }
  }
  const ttl = ttlOf(options);
  return { ttl: ttl === undefined || ttl === Number.POSITIVE_INFINITY ? 0 : ttl, maxEntries: maxEntries ?? 0 };
}

/** @throws TypeError for anything but a number; RangeError for one that is not above 0. */
export function ttlOf(options: SetOptions | undefined): number | undefined {
  if (options === undefined) return undefined;
  refuseOther(options, '{ ttl }');
  const { ttl } = options;
  if (ttl === undefined) return undefined;
  if (typeof ttl !== 'number') throw new TypeError(`ttl is a number of milliseconds; got ${typeof ttl}.`);
  if (!(ttl > 0)) throw new RangeError(`ttl is a number of milliseconds above 0; got ${ttl}.`);
  return ttl;
}

function refuseOther(options: unknown, what: string): void {
  if (typeof options !== 'object' || options === null) throw new TypeError(`The options are an object, ${what}.`);
}
