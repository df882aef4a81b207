import { types } from 'node:util';
import { ClosedError, NotShareableError } from '../errors/index.js';
import { formatPlace, type Place, rawPlaceOf } from '../heap/internal.js';
import { type BlockFacts, blockOf, formatFields } from '../shared-memory/internal.js';
import { ByteWriter } from './byte-writer.js';
import { errorClass } from './errors-across.js';
import { registeredTypeOf } from './registered-types.js';
import { sharedKindOf } from './shared-kinds.js';
import { MAX_BIGINT_BYTES, MAX_DEPTH, tag, VERSION, viewName, viewNames } from './tags.js';

/** A value as bytes, and the blocks that must stay until somebody has decoded them. */
export interface Encoded {
  readonly bytes: Buffer;
  readonly blocks: ReadonlySet<BlockFacts>;
  /** And the places in heaps that must be held until then. */
  readonly places: ReadonlySet<Place>;
  /** And the modules that must have been imported before. */
  readonly modules: ReadonlySet<string>;
}

/**
 * Turns a value into bytes: plain data and what structured clone knows by copy, shared objects and views
 * over shared memory by reference, registered classes by their codec.
 *
 * @param label what the value is called in errors: `args` makes `args[1].onDone`.
 * @throws NotShareableError for functions, symbols, instances of other classes and too deep a nesting.
 */
export function encode(value: unknown, label = 'value'): Encoded {
  return new Encoder(label).run(value);
}

type Key = string | number;

const MANY_ITEMS = 1_000_000;
const MAX_COPIED_BYTES = 0xffff_ffff;

class Encoder {
  readonly #out = new ByteWriter();
  readonly #label: string;
  readonly #trail: Key[] = [];
  readonly #blocks = new Set<BlockFacts>();
  readonly #places = new Set<Place>();
  readonly #modules = new Set<string>();
  readonly #unfinished = new Set<object>();
  #depth = 0;
  /** Each object met, with its number; and in the order of those numbers. */
  #seen: Map<object, number> | undefined;
  readonly #order: object[] = [];

  constructor(label: string) {
    this.#label = label;
  }

  run(value: unknown): Encoded {
    this.#out.byte(VERSION);
    this.#value(value);
    return { bytes: this.#out.take(), blocks: this.#blocks, places: this.#places, modules: this.#modules };
  }

  #value(value: unknown): void {
    const out = this.#out;
    switch (typeof value) {
      case 'string':
        return this.#string(value);
      case 'number':
        return this.#number(value);
      case 'boolean':
        return out.byte(value ? tag.true : tag.false);
      case 'undefined':
        return out.byte(tag.undefined);
      case 'bigint':
        return this.#bigint(value);
      case 'object':
        return value === null ? out.byte(tag.null) : this.#object(value);
      default:
        throw this.#refuse(typeof value === 'function' ? describeFunction(value) : `a ${typeof value}`);
    }
  }

  #number(value: number): void {
    const out = this.#out;
    if ((value | 0) !== value || Object.is(value, -0)) {
      out.byte(tag.double);
      out.double(value);
    } else if (value >= 0 && value < 128) {
      out.byte(tag.smallInteger + value);
    } else {
      out.byte(tag.int32);
      out.int32(value);
    }
  }

  #bigint(value: bigint): void {
    const hex = (value < 0n ? -value : value).toString(16);
    const magnitude = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
    if (magnitude.length > MAX_BIGINT_BYTES) throw this.#refuse('a bigint of more than a million bytes');
    this.#out.byte(tag.bigint);
    this.#out.byte(value < 0n ? 1 : 0);
    this.#out.uint32(magnitude.length);
    this.#out.bytes(magnitude);
  }

  #string(value: string): void {
    const out = this.#out;
    // biome-ignore lint/suspicious/noControlCharactersInRegex: Latin-1 is all characters of one byte
    if (!/^[\x00-\xff]*$/.test(value)) {
      out.byte(tag.utf16);
      out.uint32(value.length * 2);
      out.text(value, value.length * 2, 'utf16le');
    } else if (value.length < 256) {
      out.byte(tag.shortString);
      out.byte(value.length);
      out.text(value, value.length, 'latin1');
    } else {
      out.byte(tag.latin1);
      out.uint32(value.length);
      out.text(value, value.length, 'latin1');
    }
  }

  #object(value: object): void {
    const out = this.#out;
    this.#seen ??= new Map();
    const known = this.#seen.get(value);
    if (known !== undefined) {
      if (this.#unfinished.has(value)) throw this.#refuse('a cycle through an instance of a registered class');
      out.byte(tag.reference);
      return out.uint32(known);
    }
    if (this.#depth >= MAX_DEPTH) throw this.#refuse(`a value nested more than ${MAX_DEPTH} levels deep`);
    this.#depth += 1;
    this.#seen.set(value, this.#seen.size);
    this.#order.push(value);
    this.#content(value);
    this.#depth -= 1;
  }

  #content(value: object): void {
    const out = this.#out;

    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Object.prototype || prototype === null) return this.#plain(value);
    if (Array.isArray(value) && prototype === Array.prototype) return this.#array(value);
    const shared = sharedKindOf(value);
    if (shared !== undefined) {
      const block = shared.block?.(value);
      if (block !== undefined) this.#blocks.add(block);
      for (const place of shared.places?.(value) ?? []) this.#places.add(place);
      if (shared.module !== undefined) this.#modules.add(shared.module);
      out.byte(tag.shared);
      return this.#string(shared.handle(value));
    }
    const registered = registeredTypeOf(value);
    if (registered !== undefined) {
      this.#unfinished.add(value);
      out.byte(tag.registered);
      this.#string(registered.name);
      this.#value(registered.codec.encode(value));
      this.#unfinished.delete(value);
      return;
    }
    if (ArrayBuffer.isView(value) && prototype.constructor?.name === viewName(value)) return this.#view(value);
    // Errors of any class travel, as what another process can make of them; other subclasses would lose what they are.
    if (types.isNativeError(value) || value instanceof DOMException) return this.#error(value as Error);
    const base = Object.getPrototypeOf(prototype) as object | null;
    if (base === null || Object.getPrototypeOf(base) === null) return this.#builtIn(value);
    throw this.#refuse(describeInstance(value));
  }

  #plain(value: object): void {
    const keys = Object.keys(value);
    this.#out.byte(tag.object);
    this.#out.uint32(keys.length);
    for (const key of keys) {
      this.#string(key);
      this.#child(key, (value as Record<string, unknown>)[key]);
    }
  }

  #array(value: readonly unknown[]): void {
    if (value.length > MANY_ITEMS && Object.keys(value).length < value.length / 2) {
      throw this.#refuse('an array that is mostly holes');
    }
    this.#out.byte(tag.array);
    this.#out.uint32(value.length);
    for (let i = 0; i < value.length; i++) {
      if (value[i] === undefined && !(i in value)) this.#out.byte(tag.hole);
      else this.#child(i, value[i]);
    }
  }

  #child(key: Key, value: unknown): void {
    if (value === null || (typeof value !== 'object' && typeof value !== 'function' && typeof value !== 'symbol')) {
      this.#value(value);
      return;
    }
    this.#trail.push(key);
    this.#value(value);
    this.#trail.pop();
  }

  #view(view: ArrayBufferView): void {
    const name = viewName(view);
    if (isShared(view.buffer)) return this.#memory(view.buffer, name, view.byteOffset, view.byteLength);
    if (!(view.buffer instanceof ArrayBuffer) && !types.isArrayBuffer(view.buffer)) {
      throw this.#refuse('a view over a SharedArrayBuffer (threads share those, processes do not)');
    }
    if (view.byteLength > MAX_COPIED_BYTES) throw this.#refuse('a view over more than 4 GiB of ordinary memory');
    this.#out.byte(tag.view);
    this.#out.byte(viewNames.indexOf(name));
    this.#out.uint32(view.byteLength);
    this.#out.bytes(new Uint8Array(view.buffer, view.byteOffset, view.byteLength));
  }

  /** Memory of a block, by reference: the same memory on the other side. */
  #memory(buffer: ArrayBufferLike, name: string, byteOffset: number, byteLength: number): void {
    const place = rawPlaceOf(buffer);
    if (place !== undefined) {
      this.#places.add(place);
      this.#out.byte(tag.shared);
      return this.#string(rawHandle(place, name, byteOffset, byteLength));
    }
    const block = blockOf(buffer)!;
    if (!block.hold.open) throw new ClosedError(`The shared memory block '${block.name}' has been closed here.`);
    this.#blocks.add(block);
    this.#out.byte(tag.shared);
    this.#string(viewHandle(block, name, byteOffset, byteLength));
  }

  #builtIn(value: object): void {
    const out = this.#out;
    if (types.isMap(value)) {
      out.byte(tag.map);
      out.uint32(value.size);
      // A copy: a getter met on the way may change the Map.
      for (const [key, item] of [...value]) {
        this.#child('<key>', key);
        this.#child(typeof key === 'string' ? key : String(key as number), item);
      }
    } else if (types.isSet(value)) {
      out.byte(tag.set);
      out.uint32(value.size);
      for (const item of [...value]) this.#child('<item>', item);
    } else if (types.isDate(value)) {
      out.byte(tag.date);
      out.double(value.getTime());
    } else if (types.isRegExp(value)) {
      out.byte(tag.regexp);
      this.#string(value.source);
      this.#string(value.flags);
    } else if (types.isArrayBuffer(value)) {
      if (isShared(value)) return this.#memory(value, 'ArrayBuffer', 0, value.byteLength);
      if (value.byteLength > MAX_COPIED_BYTES) throw this.#refuse('more than 4 GiB of ordinary memory');
      out.byte(tag.arrayBuffer);
      out.uint32(value.byteLength);
      out.bytes(new Uint8Array(value));
    } else if (types.isBoxedPrimitive(value) && !types.isSymbolObject(value)) {
      out.byte(tag.boxed);
      this.#value(value.valueOf());
    } else if (isPlainOfOtherRealm(value)) {
      if (Array.isArray(value)) this.#array(value);
      else this.#plain(value);
    } else {
      throw this.#refuse(describeInstance(value));
    }
  }

  #error(error: Error): void {
    this.#out.byte(tag.error);
    this.#string(errorClass(error));
    this.#string(String(error.message));
    this.#value(typeof error.stack === 'string' ? error.stack : undefined);
    const countAt = this.#out.length;
    this.#out.uint32(0);
    let count = 0;
    const keys = new Set([...['cause', 'errors'].filter((key) => Object.hasOwn(error, key)), ...Object.keys(error)]);
    for (const key of keys) if (this.#extra(error, key)) count += 1;
    this.#out.patchUint32(countAt, count);
  }

  // An error has to arrive whatever has been hung on it (sockets, closed blocks, getters that throw): what cannot travel is
  // left out.
  #extra(error: Error, key: string): boolean {
    const { length } = this.#out;
    const trail = this.#trail.length;
    const depth = this.#depth;
    const seen = this.#order.length;
    const blocks = this.#blocks.size;
    const places = this.#places.size;
    try {
      this.#string(key);
      this.#child(key, Reflect.get(error, key));
      return true;
    } catch {
      this.#out.rewind(length);
      this.#trail.length = trail;
      this.#depth = depth;
      for (const object of this.#order.splice(seen)) {
        this.#seen!.delete(object);
        this.#unfinished.delete(object);
      }
      for (const block of [...this.#blocks].slice(blocks)) this.#blocks.delete(block);
      for (const place of [...this.#places].slice(places)) this.#places.delete(place);
      return false;
    }
  }

  #refuse(what: string): NotShareableError {
    const path = this.#trail.map((key) =>
      typeof key === 'number' ? `[${key}]` : /^[A-Za-z_$][\w$]*$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`,
    );
    return new NotShareableError(
      `${this.#label}${path.join('')} is ${what}, which cannot travel to another process. ` +
        'Send plain data, shared objects, or instances of a class that registerType() knows.',
    );
  }
}

/** The handle of a view, or of a whole ArrayBuffer, over a block's memory. */
export function viewHandle(block: BlockFacts, name: string, byteOffset: number, byteLength: number): string {
  return `mp:view:${name}:${byteOffset}:${byteLength}:${formatFields(block)}`;
}

/** The handle of a view, or of a whole ArrayBuffer, over raw memory of a heap. */
export function rawHandle(place: Place, name: string, byteOffset: number, byteLength: number): string {
  return `mp:raw:${name}:${byteOffset}:${byteLength}:${formatPlace(place)}`;
}

/** Whether an ArrayBuffer shows shared memory, so that what lies over it travels by reference. */
export function isShared(buffer: ArrayBufferLike): boolean {
  return blockOf(buffer) !== undefined || rawPlaceOf(buffer) !== undefined;
}

function isPlainOfOtherRealm(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object;
  if (Array.isArray(value)) return prototype.constructor?.name === 'Array';
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function describeFunction(fn: unknown): string {
  const { name } = fn as { name?: unknown };
  return typeof name === 'string' && name !== '' ? `a function (${name})` : 'a function';
}

function describeInstance(value: object): string {
  const name: unknown = value.constructor?.name;
  return typeof name === 'string' && name !== '' ? `an instance of ${name}` : 'an object of an unknown class';
}
