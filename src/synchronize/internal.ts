// What the rooms above may use of this one besides its public face.
export type { NotPromise } from './acquirable.js';
export { MOST_PARTIES } from './barrier.js';
export { callable, type Kind } from './callable.js';
export { ALL, lockOfCondition } from './condition.js';
export { checkCount } from './counted-permits.js';
export { LockWord } from './lock-word.js';
export { Primitive } from './primitive.js';
export { rlockOfMemory } from './rlock.js';
export { MAX_SEMAPHORE_VALUE } from './semaphore-word.js';
export { waitFor } from './wait-for.js';
