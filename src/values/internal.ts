// What the rooms above may use of this one.
import './parcel.js';

export { CELL_WORDS, cell, cellKind } from './cell-kinds.js';
export {
  copyCell,
  dropCellInPlace,
  fillCellInPlace,
  IN_PLACE_WORDS,
  inPlaceWords,
  surveyCellInPlace,
  wordsBehind,
} from './in-place.js';
export { absent, LoadedCell, load } from './load.js';
export { Prepared, prepare } from './prepared.js';
export { dropCell, fillCell, lockRootsFor, refers, replaceCell, storeCell, surveyCell } from './store.js';
