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
  const key = formatPlace(place);
  wrappers.set(key, new WeakRef(wrapper));
  places.set(wrapper, place);
  dropped.register(wrapper, { place, key });
}

/** Where a wrapper's object lives. */
export function placeOf(wrapper: object): Place {
  return places.get(wrapper)!;
}

export function formatPlace({ heap, at }: Place): string {
  return `${heap.id}:${(heap.nonce >>> 0).toString(36)}:${at.address.toString(36)}:${at.serial.toString(36)}`;
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
 * @param kind the kind that the root must be of.
 * @throws ValueError for text that is no such address; StaleHandleError when the object is gone.
 */
export function openPlace<T extends object>(fields: string, kind: number, wrap: (place: Place) => T): T {
  const { heap, at } = parsePlace(fields);
  const check = (found: number) => {
    if (found !== kind) throw new ValueError(`This handle means an object of another kind: '${fields.slice(0, 80)}'.`);
  };
  const opened = openHeld(heap, at, (place, found) => {
    check(found);
    return wrap(place);
  });
  // Of what was open here already, too.
  check(heap.memory.load(at.address + root.kind) & KIND_MASK);
  return opened;
}

/**
 * Opens what lies at a root: the wrapper that this environment has already, or a new one.
 *
 * @param wrap makes it of the place, on which a hold has been taken, and the root's kind.
 * @throws StaleHandleError when the object is gone; what `wrap` throws.
 */
export function openHeld<T extends object>(heap: Heap, at: RootAddress, wrap: (place: Place, kind: number) => T): T {
  const place = new Place(heap, at);
  const known = wrappers.get(formatPlace(place))?.deref();
  if (known !== undefined && heap.exists(at)) return known as T;
  const kind = heap.open(at);
  try {
    return wrap(place, kind);
  } catch (error) {
    heap.release(at.address);
    throw error;
  }
}
