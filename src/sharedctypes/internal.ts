// What the rooms above may use of this one besides its public face.
export { typeOf } from './types.js';
