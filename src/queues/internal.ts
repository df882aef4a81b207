// What the rooms above may use of this one besides its public face.
export { empty, full, maxsizeOf, putQuietly, wakeGetter } from './queue-object.js';
