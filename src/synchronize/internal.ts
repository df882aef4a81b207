// What the rooms above may use of this one besides its public face.
export type { NotPromise } from './acquirable.js';
export { LockWord } from './lock-word.js';
export { rlockOfMemory } from './rlock.js';
export { waitFor } from './wait-for.js';
