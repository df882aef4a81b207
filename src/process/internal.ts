// What the rooms above may use of this one besides its public face.

export { bellDescriptor } from './bell.js';
export { currentProcess } from './current.js';
export { importModule } from './import-module.js';
export { endOf, startWithBell } from './process.js';
export { inheritedExecArgv, spawnChild } from './spawn.js';
export { readOutcome } from './spawn-record.js';
export { reviveFunction, type TravellingFunction, travelling } from './travelling-function.js';
export { fulfilledInTime } from './wait.js';
