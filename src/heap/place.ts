import { ValueError } from '../errors/index.js';
import { heapOf } from './current-heap.js';
import type { Heap } from './heap.js';
import { KIND_MASK, root } from './layout.js';
import type { RootAddress } from './roots.js';

// What all objects that live at a root of a heap have in common: their address in handles, one wrapper for each in an
// environment, and a hold that lasts as long as the wrapper.

/** Where an object lives. A class, so that nothing a user hands to a constructor is taken for one. */
export class Place {
  readonly heap: Heap;
  readonly at: RootAddress;

  constructor(heap: Heap, at: RootAddress) {
    this.heap = heap;
    this.at = at;
  }
}

const wrappers = new Map<string, WeakRef<object>>();
const places = new WeakMap<object, Place>();

const dropped = new FinalizationRegistry<{ place: Place; key: string }>(({ place: { heap, at }, key }) => {
  if (wrappers.get(key)?.deref() === undefined) wrappers.delete(key);
  try {
    heap.release(at.address);
  } catch {
    // Declared dead, or out of memory: its reaper gives the hold back.
  }
});

/** Enters the wrapper of an object that this environment holds; the hold ends with the wrapper. */
export function enterWrapper(wrapper: object, place: Place): void {
  const key = keyOf(place);
  wrappers.set(key, new WeakRef(wrapper));
  places.set(wrapper, place);
  dropped.register(wrapper, { place, key }, wrapper);
}

/** Ends a wrapper's hold now instead of when it is collected. The wrapper must not be used any more. */
export function closeWrapper(wrapper: object): void {
  const place = placeOf(wrapper);
  const key = keyOf(place);
  dropped.unregister(wrapper);
  if (wrappers.get(key)?.deref() === wrapper) wrappers.delete(key);
  place.heap.release(place.at.address);
}

/** Where a wrapper's object lives. */
export function placeOf(wrapper: object): Place {
  return places.get(wrapper)!;
}

export function formatPlace({ heap, at }: Place): string {
  return `${heap.id}:${(heap.nonce >>> 0).toString(36)}:${at.address.toString(36)}:${at.serial.toString(36)}`;
}

/** Those for whom this environment acts have wrappers of their own. */
function keyOf(place: Place): string {
  const text = formatPlace(place);
  return place.heap.instead !== undefined ? `${place.heap.participant.token}@${text}` : text;
}

/**
 * Reads the part of a handle behind its kind, and joins the heap that it means.
 *
 * @throws ValueError for text that is no such address; StaleHandleError when the heap is gone.
 */
export function parsePlace(fields: string): Place {
  const [, id, nonce, address, serial] = PLACE.exec(fields) ?? [];
  if (id === undefined || nonce === undefined || address === undefined || serial === undefined) {
    throw new ValueError(`This is not the address of a shared object: '${fields.slice(0, 80)}'.`);
  }
  const heap = heapOf(id, Number.parseInt(nonce, 36) | 0);
  return new Place(heap, { address: Number.parseInt(address, 36), serial: Number.parseInt(serial, 36) });
}

const PLACE = /^([0-9a-f]{16}):([0-9a-z]{1,7}):([0-9a-z]{1,6}):([0-9a-z]{1,6})$/;

/**
 * Opens what a handle's fields mean: the wrapper that this environment has already, or a new one.
 *
 * @param kinds of which the root must be one.
 * @throws ValueError for text that is no such address; StaleHandleError when the object is gone.
 */
export function openPlace<T extends object>(
  fields: string,
  kinds: number | readonly number[],
  wrap: (place: Place, kind: number) => T,
): T {
  return wrapperAt(parsePlace(fields), kinds, wrap);
}

/** The wrapper of what lives at a place, as `openPlace` does. */
export function wrapperAt<T extends object>(
  place: Place,
  kinds: number | readonly number[],
  wrap: (place: Place, kind: number) => T,
): T {
  const { heap, at } = place;
  const key = keyOf(place);
  const isMeant = (kind: number) => (typeof kinds === 'number' ? kind === kinds : kinds.includes(kind));
  const known = wrappers.get(key)?.deref();
  if (known !== undefined && heap.exists(at)) {
    if (isMeant(heap.memory.load(at.address + root.kind) & KIND_MASK)) return known as T;
    throw otherKind(key);
  }
  const kind = heap.open(at);
  try {
    if (isMeant(kind)) return wrap(place, kind);
    throw otherKind(key);
  } catch (error) {
    // Its constructor may have failed after it was entered: then nobody must find it, nor its end give the hold back again.
    const failed = wrappers.get(key)?.deref();
    if (failed !== undefined) {
      wrappers.delete(key);
      dropped.unregister(failed);
    }
    heap.release(at.address);
    throw error;
  }
}

/** Whether this environment has a wrapper of what lives there. */
export function isWrapped(place: Place): boolean {
  return wrappers.get(keyOf(place))?.deref() !== undefined;
}

function otherKind(key: string): ValueError {
  return new ValueError(`This handle means an object of another kind: '${key}'.`);
}
