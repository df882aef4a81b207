// What the rooms above may use of this one besides its public face.
export { putQuietly, wakeGetter } from './queue-object.js';
