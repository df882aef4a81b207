// What the rooms above may use of this one besides its public face.
import './shared-views.js';

export { decode } from './decode.js';
export { type Encoded, type EncodedParts, encode, encodeParts, isShared } from './encode.js';
export { findFunction } from './find-function.js';
export { type FunctionLocation, locateFunction } from './function-location.js';
export { type FunctionFacts, inspectFunction } from './inspect-function.js';
export { parseHandle, registerSharedKind, sharedKindOf } from './shared-kinds.js';
export { packLatin1, unpackLatin1, unpackUtf16 } from './text.js';
export type { Translation } from './translation.js';
