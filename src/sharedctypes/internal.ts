// What the rooms above may use of this one besides its public face.
export { typeFromText, typeOf } from './types.js';
