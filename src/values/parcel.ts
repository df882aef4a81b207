import {
  addForeignReference,
  addReference,
  allocate,
  BURIAL_ROOM,
  dropForeignReference,
  dropReference,
  type Heap,
  heapOf,
  type Place,
  type RootAddress,
  registerContents,
  root,
  rootKind,
  stale,
  type Transaction,
} from '../heap/internal.js';

// A parcel: a value that is too large for one transaction, or refers to more objects than one transaction can count. It is
// made aside, held by its maker: its bytes are copied without any lock, and its references are counted a few at a time.
// A container then comes to refer to it by one word, and takes the hold's place. Once made, a parcel never changes.
//
//   a  block of bytes, 0 for none   b, c, d  as of raw memory: how many bytes, and whether they lie in a file
//   e  block of references: how many, and for each: heap (two words) and nonce, 0 for this heap; address; serial
//
// Killed at any instant, a maker leaves a parcel that its estate lets go of, with exactly the references that it counts. A
// reference to an object in another heap is counted there before it is noted here: in between, the object may outlive what
// refers to it, until this heap ends.

const COUNT = 0;
const FIRST = 1;
const reference = { heapLow: 0, heapHigh: 1, nonce: 2, address: 3, serial: 4, words: 5 } as const;

/** Makes a parcel of so many bytes, which the caller holds, and which refers to those places. `write` is given its memory. */
export function makeParcel(
  heap: Heap,
  bytes: number,
  places: Iterable<Place>,
  write: (memory: Uint8Array) => void,
): RootAddress {
  const at = heap.createParcel(bytes);
  try {
    write(parcelBytes(heap, at));
    const all = [...places];
    if (all.length > 0) addReferences(heap, at, all);
    return at;
  } catch (error) {
    heap.release(at.address);
    throw error;
  }
}

/** The bytes of a parcel that the caller holds. */
export function parcelBytes(heap: Heap, at: RootAddress): Uint8Array {
  const { bytes, pooled } = heap.raw(at);
  if (bytes === 0) return new Uint8Array(0);
  if (pooled !== undefined) return new Uint8Array(pooled.map.buffer, pooled.offset, bytes);
  return new Uint8Array(heap.mapRaw(at, bytes, () => {}).buffer, 0, bytes);
}

function addReferences(heap: Heap, { address }: RootAddress, places: readonly Place[]): void {
  const block = heap.transaction.run((tx) => {
    const block = allocate(tx, FIRST + places.length * reference.words);
    tx.fill(block + COUNT, 0);
    tx.write(address + root.e, block);
    return block;
  });
  for (const place of places) {
    const { at } = place;
    const isForeign = place.heap.id !== heap.id; // another participant of the same heap is in it, too
    if (isForeign) {
      place.heap.transaction.run((tx) => {
        tx.lockRoots();
        confirm(tx, at);
        addForeignReference(tx, at.address, heap);
      });
    }
    heap.transaction.run((tx) => {
      tx.lockRoots();
      const count = tx.read(block + COUNT);
      const [low, high] = isForeign ? halves(place.heap.id) : [0, 0];
      tx.fill(
        block + FIRST + count * reference.words,
        low,
        high,
        isForeign ? place.heap.nonce : 0,
        at.address,
        at.serial,
      );
      if (!isForeign) {
        confirm(tx, at);
        addReference(tx, at.address);
      }
      tx.write(block + COUNT, count + 1);
    });
  }
}

/** The caller holds the object, so its root is this object's: but it may have been disposed of. */
function confirm(tx: Transaction, { address, serial }: RootAddress): void {
  if (tx.read(address + root.serial) !== serial) throw stale();
}

registerContents(rootKind.parcel, {
  bury(tx, address) {
    const block = tx.read(address + root.e);
    if (block !== 0) {
      for (let count = tx.read(block + COUNT); count > 0; count--) {
        if (tx.room < BURIAL_ROOM) return false;
        dropAt(tx, block + FIRST + (count - 1) * reference.words);
        tx.write(block + COUNT, count - 1);
      }
      tx.free(block);
      tx.write(address + root.e, 0);
    }
    const bytes = tx.read(address + root.a);
    if (bytes !== 0) {
      tx.free(bytes);
      tx.write(address + root.a, 0);
    }
    return true;
  },
  survey(tx, address, survey) {
    const bytes = tx.read(address + root.a);
    if (bytes !== 0) survey.owns(bytes);
    const block = tx.read(address + root.e);
    if (block === 0) return;
    survey.owns(block);
    for (let i = 0; i < tx.read(block + COUNT); i++) {
      const at = block + FIRST + i * reference.words;
      if (isLocal(tx, at)) survey.refersTo(tx.read(at + reference.address));
    }
  },
});

function isLocal(tx: Transaction, at: number): boolean {
  return tx.read(at + reference.heapLow) === 0 && tx.read(at + reference.heapHigh) === 0;
}

function dropAt(tx: Transaction, at: number): void {
  const address = tx.read(at + reference.address);
  if (isLocal(tx, at)) return dropReference(tx, address);
  const half = (word: number) => (tx.read(at + word) >>> 0).toString(16).padStart(8, '0');
  const id = half(reference.heapHigh) + half(reference.heapLow);
  const nonce = tx.read(at + reference.nonce);
  const own = { id: tx.memory.id, nonce: tx.memory.nonce };
  tx.afterwards(() => {
    try {
      const heap = heapOf(id, nonce);
      heap.transaction.run((foreign) => dropForeignReference(foreign, address, own));
      heap.buryAny();
    } catch {
      // That heap is gone, or full: it drops what heaps that are gone have referred to.
    }
  });
}

function halves(id: string): [low: number, high: number] {
  return [Number.parseInt(id.slice(8), 16) | 0, Number.parseInt(id.slice(0, 8), 16) | 0];
}
