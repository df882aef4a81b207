// What the rooms above may use of this one besides its public face.
export { listManagers, type ManagerFacts, sweepNamed } from './inventory.js';
export { sweepSockets } from './socket-directory.js';
