export { dispose } from './dispose.js';
export { handleOf, open } from './handles.js';
export { fromMessage, toMessage } from './messages.js';
export { registerType, type TypeCodec } from './registered-types.js';
