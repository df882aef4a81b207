// What most programs never need: loaded when a manager is served to the network, or reached over it. One file for both sides,
// because every file that can be loaded by itself divides the others into more (docs/decisions/0005-few-files-to-load.md).
export { Gateway } from './gateway.js';
export { reach } from './reach.js';
