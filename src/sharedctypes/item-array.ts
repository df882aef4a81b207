import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { ValueError } from '../errors/index.js';
import { formatPlace, openRaw, type Place, rawPlaceOf } from '../heap/internal.js';
import { markUncloneable, refuseJson, unsharedWarning } from '../shared-memory/internal.js';
import { charType } from './character-types.js';
import { checkIndex } from './indexes.js';
import type { Cells, ItemType } from './item-type.js';
import type { Read, Write } from './type-codes.js';
import { showType, typeFromText } from './types.js';
import { enter, wrapperOf } from './wrappers.js';

/** An array in shared memory of what typed arrays do not have: characters, booleans, structures. Without a lock. */
export interface ItemArray<C> extends Iterable<Read<C>> {
  /** The item at that index; a structure as a view of the memory. @throws RangeError out of range. */
  get(index: number): Read<C>;
  /** @throws RangeError out of range, or for what does not fit; TypeError for a value of a wrong type. */
  set(index: number, value: Write<C>): void;
  readonly length: number;
}

/** An array of bytes in shared memory, which may be text that ends at the first NUL. Without a lock. */
export interface CharArray extends ItemArray<'c'> {
  /**
   * A copy of the bytes before the first NUL. Writing puts a NUL behind the bytes where there is room; what lies behind it
   * stays.
   *
   * @throws TypeError for what is no Uint8Array; RangeError for more bytes than there is room for.
   */
  get value(): Uint8Array;
  set value(bytes: Uint8Array);
  /** A copy of all bytes. Writing fewer overwrites the first ones. @throws as `value`. */
  get raw(): Uint8Array;
  set raw(bytes: Uint8Array);
}

export class ItemArrayClass {
  static {
    Object.defineProperty(ItemArrayClass, 'name', { value: 'ItemArray' });
  }

  readonly type: ItemType;
  readonly buffer: ArrayBuffer;
  readonly length: number;
  readonly cells: Cells;
  #handle: string | undefined;
  #warn = unsharedWarning('RawArray');

  constructor(type: ItemType, buffer: ArrayBuffer, length: number) {
    this.type = type;
    this.buffer = buffer;
    this.length = length;
    this.cells = type.cells(buffer, 0, length);
    for (const name of ['type', 'buffer', 'cells']) Object.defineProperty(this, name, { enumerable: false });
    markUncloneable(this);
  }

  get(index: number): unknown {
    this.used();
    checkIndex(index, this.length);
    return this.type.read(this.cells, index);
  }

  set(index: number, value: unknown): void {
    this.used();
    checkIndex(index, this.length);
    this.type.store(this.cells, index, this.type.prepare(value));
  }

  *[Symbol.iterator](): IterableIterator<unknown> {
    for (let i = 0; i < this.length; i++) yield this.get(i);
  }

  get handle(): string {
    this.#handle ??= enter(`mp:items:${this.fields}`, this);
    return this.#handle;
  }

  get place(): Place {
    return rawPlaceOf(this.buffer)!;
  }

  toJSON(): never {
    return refuseJson(this.constructor.name);
  }

  [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `ItemArray(${showType(this.type)}) ${show([...this], options)}`;
  }

  protected get fields(): string {
    return `${this.type.text}:${this.length}:${formatPlace(this.place)}`;
  }

  protected used(): void {
    this.#warn?.();
    this.#warn = undefined;
  }
}

export class CharArrayClass extends ItemArrayClass {
  static {
    Object.defineProperty(CharArrayClass, 'name', { value: 'CharArray' });
  }

  #charHandle: string | undefined;

  constructor(buffer: ArrayBuffer, length: number) {
    super(charType, buffer, length);
  }

  get value(): Uint8Array {
    this.used();
    const bytes: Uint8Array = this.cells;
    const end = bytes.indexOf(0);
    return bytes.slice(0, end === -1 ? bytes.length : end);
  }

  set value(value: Uint8Array) {
    const checked = this.#checked(value);
    this.cells.set(checked);
    if (checked.length < this.length) this.cells[checked.length] = 0;
  }

  get raw(): Uint8Array {
    this.used();
    return this.cells.slice();
  }

  set raw(value: Uint8Array) {
    this.cells.set(this.#checked(value));
  }

  override get handle(): string {
    this.#charHandle ??= enter(`mp:chars:${this.fields}`, this);
    return this.#charHandle;
  }

  override [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `CharArray ${show(Buffer.from(this.raw).toString('latin1'), options)}`;
  }

  #checked(bytes: unknown): Uint8Array {
    this.used();
    return checkBytes(bytes, this.length);
  }
}

/** @throws TypeError for what is no Uint8Array; RangeError for more bytes than there is room for. */
export function checkBytes(bytes: unknown, room: number): Uint8Array {
  if (!(bytes instanceof Uint8Array)) throw new TypeError('The bytes of an array of characters are a Uint8Array.');
  if (bytes.length > room) throw new RangeError(`There is room for ${room} bytes; got ${bytes.length}.`);
  return bytes;
}

for (const [kind, type] of [
  ['items', ItemArrayClass],
  ['chars', CharArrayClass],
] as const) {
  registerSharedKind<ItemArrayClass>({
    kind,
    type: type as abstract new (...args: never[]) => ItemArrayClass,
    handle: (array) => array.handle,
    places: (array) => [array.place],
    open: (fields) => {
      const [, text, length, place] = /^([^:]+):(\d{1,10}):(.*)$/s.exec(fields) ?? [];
      if (text === undefined || place === undefined) {
        throw new ValueError(`This is no array: '${fields.slice(0, 80)}'.`);
      }
      const found = typeFromText(text);
      if ((found === charType) !== (kind === 'chars') || found.plain) {
        throw new ValueError(`There is no such array of the type '${text.slice(0, 80)}'.`);
      }
      const buffer = openRaw(place);
      const array = makeItemArray(found, buffer, checkedLength(found, buffer, 0, Number(length)));
      return wrapperOf(array.handle, () => array);
    },
  });
}

/** The array of a type that has no typed array. */
export function makeItemArray(type: ItemType, buffer: ArrayBuffer, length: number): ItemArrayClass {
  return type === charType ? new CharArrayClass(buffer, length) : new ItemArrayClass(type, buffer, length);
}

/** What a handle says of a part of memory. @throws ValueError for a part that does not lie in it. */
export function checkedLength(type: ItemType, buffer: ArrayBuffer, byteOffset: number, length: number): number {
  if (byteOffset % type.alignment !== 0 || byteOffset + length * type.bytes > buffer.byteLength) {
    throw new ValueError('A handle names less memory than its items take.');
  }
  return length;
}
