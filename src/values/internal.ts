// What the rooms above may use of this one.
import './parcel.js';

export { CELL_WORDS, cell, cellKind } from './cell-kinds.js';
export { absent, LoadedCell, load } from './load.js';
export { Prepared, prepare } from './prepared.js';
export { dropCell, fillCell, lockRootsFor, refers, replaceCell, storeCell, surveyCell } from './store.js';
