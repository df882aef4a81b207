import { ValueError } from '../errors/index.js';
import { viewPart } from '../os/index.js';
import { openAsOwn, treeHeap } from './current-heap.js';
import { rootKind } from './layout.js';
import { formatPlace, Place, parsePlace } from './place.js';

// Memory that users write through views: an ArrayBuffer of exactly that memory, which holds it for as long as anything can
// reach it. So the memory is never another object's while somebody can still write to it.
//
// An ArrayBuffer of its own costs more to make, and to collect, than all the rest of a small value. Memory that only the
// library itself reaches does without: a cell is seen through the buffer of the whole extent, and holds by itself.

const buffers = new Map<string, WeakRef<ArrayBuffer>>();
const places = new WeakMap<ArrayBufferLike, Place>();

export interface RawOptions {
  /** Whether the lock word of the memory's root is an RLock. */
  readonly locked: boolean;
}

/** Makes raw memory of `bytes` zero bytes. @throws a system error `ENOSPC` when there is no room. */
export function makeRaw(bytes: number, options?: RawOptions): ArrayBuffer {
  return show(makePlace(bytes, options));
}

/**
 * The memory that a handle means.
 *
 * @param options.locked that the memory must have a lock of its own; otherwise it may.
 * @throws StaleHandleError when it is gone; ValueError for text that is no address, or that of something else.
 */
export function openRaw(fields: string, options?: RawOptions): ArrayBuffer {
  const place = openAsOwn(() => parsePlace(fields));
  const known = buffers.get(formatPlace(place))?.deref();
  if (known !== undefined && !options?.locked && place.heap.exists(place.at)) return known;
  holdRaw(place, options);
  if (known === undefined) return show(place);
  place.heap.release(place.at.address);
  return known;
}

/** Where the memory behind an ArrayBuffer lies, if it is a heap's. */
export function rawPlaceOf(buffer: ArrayBufferLike): Place | undefined {
  return places.get(buffer);
}

/** A few bytes of raw memory, held for as long as this object can be reached. */
export class RawCell {
  readonly place: Place;
  /** Shows the whole extent. Never given to users: their views could reach what is not theirs, and would not hold this. */
  readonly buffer: ArrayBuffer;
  readonly byteOffset: number;

  /** The hold that this environment has taken becomes the cell's. */
  constructor(place: Place, bytes: number) {
    const { heap, at } = place;
    try {
      const raw = heap.raw(at);
      if (raw.pooled === undefined || raw.bytes < bytes) throw new ValueError('This memory is not what it should be.');
      this.place = place;
      this.buffer = raw.pooled.map.buffer;
      this.byteOffset = raw.pooled.offset;
    } catch (error) {
      heap.release(at.address);
      throw error;
    }
    dropped.register(this, place);
  }
}

const dropped = new FinalizationRegistry<Place>(release);

/** Makes a cell of `bytes` zero bytes, 64 at most. @throws a system error `ENOSPC` when there is no room. */
export function makeRawCell(bytes: number, options?: RawOptions): RawCell {
  return new RawCell(makePlace(bytes, options), bytes);
}

/** The cell that a handle means: as {@link openRaw}, and ValueError for less memory than `bytes`. */
export function openRawCell(fields: string, bytes: number, options?: RawOptions): RawCell {
  const place = openAsOwn(() => parsePlace(fields));
  holdRaw(place, options);
  return new RawCell(place, bytes);
}

function makePlace(bytes: number, options: RawOptions | undefined): Place {
  const heap = treeHeap();
  return new Place(heap, heap.createRaw(bytes, options?.locked ? rootKind.lockedRaw : rootKind.raw));
}

function holdRaw(place: Place, options: RawOptions | undefined): void {
  const kind = place.heap.open(place.at);
  if (kind === rootKind.lockedRaw || (kind === rootKind.raw && !options?.locked)) return;
  release(place);
  throw new ValueError(`This handle means an object of another kind: '${formatPlace(place)}'.`);
}

function release({ heap, at }: Place): void {
  try {
    heap.release(at.address);
  } catch {
    // Declared dead, or out of memory: its reaper gives the hold back.
  }
}

/** The hold that this environment has taken becomes the buffer's. */
function show(place: Place): ArrayBuffer {
  const { heap, at } = place;
  const key = formatPlace(place);
  const released = () => {
    if (buffers.get(key)?.deref() === undefined) buffers.delete(key);
    release(place);
  };
  let buffer: ArrayBuffer;
  try {
    const { bytes, pooled } = heap.raw(at);
    buffer =
      pooled === undefined
        ? heap.mapRaw(at, bytes, released).buffer
        : viewPart(pooled.map, pooled.offset, bytes, released);
  } catch (error) {
    heap.release(at.address);
    throw error;
  }
  buffers.set(key, new WeakRef(buffer));
  places.set(buffer, place);
  return buffer;
}
