// What the rooms above may use of this one besides its public face.
export type { Call, Chunk, Failures } from './chunk.js';
export { part } from './chunk.js';
export { Crew } from './crew.js';
export type { Job } from './messages.js';
export { pack } from './packed.js';
export { type PoolFacts, PoolObject } from './pool-object.js';
export { checkCount, readPoolArgs } from './pool-options.js';
export { type Sealed, seal, unseal, unsealError } from './sealed.js';
export type { Workforce } from './workforce.js';
