// What the rooms above may use of this one.
import './parcel.js';

export { CELL_WORDS, cell, cellKind } from './cell-kinds.js';
export { copyOfCell, refersInCopy } from './copy-cell.js';
export {
  copyCell,
  dropCellInPlace,
  fillCellInPlace,
  IN_PLACE_WORDS,
  inPlaceWords,
  surveyCellInPlace,
  wordsBehind,
} from './in-place.js';
export { absent, decodedValue, LoadedCell, load, loadInto, returnLoaded, takeLoaded } from './load.js';
export { LoadedCells } from './load-many.js';
export { Prepared, prepare } from './prepared.js';
export { samePrepared, valueOfPrepared } from './prepared-values.js';
export { dropCell, fillCell, isEncoded, lockRootsFor, refers, replaceCell, storeCell, surveyCell } from './store.js';
