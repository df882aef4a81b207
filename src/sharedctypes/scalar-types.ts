import { booleanType, charType, wideCharType } from './character-types.js';
import { numberTypes } from './number-types.js';
import type { ScalarType } from './scalar-type.js';

const byCode = new Map<unknown, ScalarType>(
  [charType, ...numberTypes, wideCharType, booleanType].map((type) => [type.text, type]),
);

export const codes = [...byCode.keys()].join(' ');

/** The type of a code; `undefined` for anything else. */
export function scalarType(code: unknown): ScalarType | undefined {
  return byCode.get(code);
}

const numberTypeOfClass = new Map<unknown, ScalarType>(
  numberTypes.toReversed().map((type) => [type.cellsClass.prototype, type]),
);

/** The type whose arrays are of that typed array's class; `undefined` for those of other classes (and subclasses). */
export function typeOfArray(array: ArrayBufferView): ScalarType | undefined {
  return numberTypeOfClass.get(Object.getPrototypeOf(array));
}
