// What the rooms above may use of this one besides its public face.
export type { NotPromise } from './acquirable.js';
export { callable, type Kind } from './callable.js';
export { lockOfCondition } from './condition.js';
export { LockWord } from './lock-word.js';
export { Primitive } from './primitive.js';
export { rlockOfMemory } from './rlock.js';
export { waitFor } from './wait-for.js';
