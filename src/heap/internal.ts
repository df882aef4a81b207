// What the rooms above may use of this one.
export { heapOf, treeHeap } from './current-heap.js';
export { atomicLoad, atomicStore, compareExchange, step } from './doors.js';
export { Heap } from './heap.js';
export { EXTENT_MASK, RESERVED, root, rootKind, TOKEN_MASK, WAITERS } from './layout.js';
export { enterWrapper, formatPlace, openPlace, Place, parsePlace, placeOf, wrapperAt } from './place.js';
export { makeRaw, makeRawCell, openRaw, openRawCell, type RawCell, type RawOptions, rawPlaceOf } from './raw-memory.js';
export { type RootAddress, stale } from './roots.js';
export { now, OWNED_SLICE_MS, SLICE_MS, sleepWhile, spinBudget, spinWhile, wake } from './sleep.js';
export { type SyncWaitOptions, signalOf, timeoutOf, type WaitOptions } from './wait-options.js';
export { type Watch, watchWord } from './watch.js';
