// What the rooms above may use of this one besides its public face.

export { currentProcess } from './current.js';
export { spawnChild } from './spawn.js';
export { readOutcome } from './spawn-record.js';
