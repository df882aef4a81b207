// What the rooms above may use of this one besides its public face.
export { atomically } from './atomics.js';
export { charType } from './character-types.js';
export { checkIndex, checkRoom, checkStart, indexOfAt, sliceBounds } from './indexes.js';
export { checkBytes } from './item-array.js';
export type { Cells, ItemType } from './item-type.js';
export { plainItem } from './plain-item.js';
export { itemsOf, prepareAll } from './raw-array.js';
export { ScalarType } from './scalar-type.js';
export { typeFromText, typeOf } from './types.js';
