// What the rooms above may use of this one.
export { allocate, blockWords, MAX_BLOCK_WORDS } from './allocator.js';
export { BODY, BURIAL_ROOM, type Contents, registerContents, type Survey } from './contents.js';
export { giveSlots, heapOf, joinedHeaps, makeHeap, makeIn, openAsOwn, openInstead, treeHeap } from './current-heap.js';
export { Deputy } from './deputy.js';
export { atomicAdd, atomicLoad, atomicStore, compareExchange, step } from './doors.js';
export { registerBelonging } from './estate.js';
export { addForeignReference, dropForeignReference, type ForeignHeap } from './foreign.js';
export { Heap } from './heap.js';
export { sweepHeaps } from './heap-sweep.js';
export { type HeapFacts, listHeaps } from './inventory.js';
export {
  belonging,
  belongingKind,
  DYING,
  EXTENT_MASK,
  RESERVED,
  root,
  rootKind,
  TOKEN_MASK,
  WAITERS,
} from './layout.js';
export {
  addHold,
  addReference,
  belongingsOf,
  discardBody,
  dropReference,
  enlisted,
  removeHold,
} from './lifetimes.js';
export { LEAST_HEAP_BYTES } from './limit.js';
export {
  closeWrapper,
  enterWrapper,
  formatPlace,
  isWrapped,
  openPlace,
  Place,
  parsePlace,
  placeOf,
  wrapperAt,
} from './place.js';
export { makeRaw, makeRawCell, openRaw, openRawCell, type RawCell, type RawOptions, rawPlaceOf } from './raw-memory.js';
export { createRoot, type RootAddress, stale } from './roots.js';
export { CLASS_WORDS, classOf } from './size-classes.js';
export { linger, nap, now, OWNED_SLICE_MS, Patience, SLICE_MS, sleepWhile, spinWhile, wake } from './sleep.js';
export { readConsistently, type Transaction } from './transaction.js';
export { handOver, letGoOfArrivals, type TakenSlot, takeSlotForOther, tokenOfSlot } from './transit.js';
export { type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from './wait-options.js';
export { type Watch, watchWord } from './watch.js';
