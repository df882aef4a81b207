import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { ValueError } from '../errors/index.js';
import { type Handle, markUncloneable, refuseJson } from '../shared-memory/internal.js';
import type { AnyType, Read, Write } from './type-codes.js';
import { showType, typeFromText, typeOf } from './types.js';
import { makeValueMemory, openValueMemory, type ValueMemory } from './value-memory.js';
import { enter, wrapperOf } from './wrappers.js';

/** A single value in shared memory, without a lock. */
export interface RawValueOf<C> {
  /**
   * The value. Reading and writing is atomic; reading, adding and writing back is not: that takes a lock. Of a structure it
   * is a view of the memory, and each of its fields is atomic by itself.
   *
   * @throws TypeError for a value of a wrong type, or an unknown field; RangeError for one that does not fit. Then nothing
   * has been changed.
   */
  get value(): Read<C>;
  set value(value: Write<C>);
  readonly handle: Handle<RawValueOf<C>>;
}

export class RawValueClass {
  static {
    Object.defineProperty(RawValueClass, 'name', { value: 'RawValue' });
  }

  readonly #memory: ValueMemory;
  #handle: string | undefined;

  constructor(memory: ValueMemory) {
    this.#memory = memory;
    markUncloneable(this);
  }

  get value(): unknown {
    return this.#memory.get();
  }

  set value(value: unknown) {
    this.#memory.set(value);
  }

  get handle(): string {
    this.#handle ??= enter(`mp:rawvalue:${this.#memory.fields}`, this);
    return this.#handle;
  }

  toJSON(): never {
    return refuseJson('RawValue');
  }

  [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `RawValue(${showType(this.#memory.type)}, ${show(this.value, options)})`;
  }

  static memoryOf(value: RawValueClass): ValueMemory {
    return value.#memory;
  }
}

/**
 * Makes a single value in shared memory, without a lock.
 *
 * It travels as the same memory, to a Process in its args or anywhere as a handle, and lives as long as anybody has it.
 *
 * @param type a {@link TypeCode}, or a structure.
 * @param init its value, otherwise zero; of a structure, those of some fields.
 * @throws TypeError for an unknown type, or a value of a wrong one; RangeError for one that does not fit; a system error
 * `ENOSPC` when there is no room.
 *
 * @example
 * ```ts
 * import { RawValue } from 'multiprocess';
 *
 * const total = RawValue('i', 7);
 * total.value += 1;
 * console.log(total); // RawValue('i', 8)
 * ```
 */
export const RawValue: {
  <C extends AnyType>(type: C, init?: Write<C>): RawValueOf<C>;
  new <C extends AnyType>(type: C, init?: Write<C>): RawValueOf<C>;
} = function RawValue(type: unknown, init?: unknown): RawValueClass {
  return new RawValueClass(makeFilled(type, init, 'RawValue', false));
} as never;
Object.defineProperty(RawValue, 'name', { value: 'RawValue' });
Object.defineProperty(RawValue, 'prototype', { value: RawValueClass.prototype });

/** Memory of that type with a value; it is checked before anything is made. */
export function makeFilled(type: unknown, init: unknown, name: string, locked: boolean): ValueMemory {
  const itemType = typeOf(type);
  const prepared = init === undefined ? undefined : itemType.prepare(init, 'A value');
  const memory = makeValueMemory(itemType, name, { locked });
  if (prepared !== undefined) itemType.store(memory.cells, memory.index, prepared);
  return memory;
}

registerSharedKind<RawValueClass>({
  kind: 'rawvalue',
  type: RawValueClass as abstract new (...args: never[]) => RawValueClass,
  handle: (value) => value.handle,
  places: (value) => [RawValueClass.memoryOf(value).place],
  open: (fields) => {
    const [, type, place] = /^([^:]+):(.*)$/s.exec(fields) ?? [];
    if (type === undefined || place === undefined) {
      throw new ValueError(`This is no raw value: '${fields.slice(0, 80)}'.`);
    }
    const memory = openValueMemory(typeFromText(type), place);
    return wrapperOf(`mp:rawvalue:${memory.fields}`, () => new RawValueClass(memory));
  },
});
