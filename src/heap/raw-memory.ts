import { viewPart } from '../os/index.js';
import { treeHeap } from './current-heap.js';
import { rootKind } from './layout.js';
import { formatPlace, Place, parsePlace } from './place.js';
import { stale } from './roots.js';

// Memory that users write through views: an ArrayBuffer of exactly that memory, which holds it for as long as anything can
// reach it. So the memory is never another object's while somebody can still write to it.

const buffers = new Map<string, WeakRef<ArrayBuffer>>();
const places = new WeakMap<ArrayBufferLike, Place>();

/** Makes raw memory of `bytes` zero bytes. @throws a system error `ENOSPC` when there is no room. */
export function makeRaw(bytes: number): ArrayBuffer {
  const heap = treeHeap();
  return show(new Place(heap, heap.createRaw(bytes)));
}

/** The memory that a handle means. @throws StaleHandleError when it is gone; ValueError for text that is no address. */
export function openRaw(fields: string): ArrayBuffer {
  const place = parsePlace(fields);
  const known = buffers.get(formatPlace(place))?.deref();
  if (known !== undefined && place.heap.exists(place.at)) return known;
  if (place.heap.open(place.at) !== rootKind.raw) {
    place.heap.release(place.at.address);
    throw stale();
  }
  return show(place);
}

/** Where the memory behind an ArrayBuffer lies, if it is a heap's. */
export function rawPlaceOf(buffer: ArrayBufferLike): Place | undefined {
  return places.get(buffer);
}

/** The hold that this environment has taken becomes the buffer's. */
function show(place: Place): ArrayBuffer {
  const { heap, at } = place;
  const key = formatPlace(place);
  const released = () => {
    if (buffers.get(key)?.deref() === undefined) buffers.delete(key);
    try {
      heap.release(at.address);
    } catch {
      // Declared dead, or out of memory: its reaper gives the hold back.
    }
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
