import { types } from 'node:util';
import { ClosedError, type NotShareableError } from '../errors/index.js';
import { formatPlace, type Place, rawPlaceOf } from '../heap/internal.js';
import { type BlockFacts, blockOf, formatFields } from '../shared-memory/internal.js';
import { ByteWriter, type Memory } from './byte-writer.js';
import { errorClass } from './errors-across.js';
import { MetObjects } from './met-objects.js';
import { describeFunction, describeInstance, type Key, refusal } from './refusal.js';
import { registeredTypeOf } from './registered-types.js';
import { sharedKindOf } from './shared-kinds.js';
import { MAX_BIGINT_BYTES, MAX_DEPTH, tag, VERSION, type ViewName, viewName, viewNames } from './tags.js';
import type { Translation } from './translation.js';

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
 * What a value has been encoded to. Valid until the next `encodeParts()` of this thread: the bytes lie in memory that is
 * used again.
 */
export class EncodedParts {
  readonly byteLength: number;
  readonly blocks: ReadonlySet<BlockFacts>;
  readonly places: ReadonlySet<Place>;
  readonly modules: ReadonlySet<string>;
  /** Memory that begins with all the bytes, where they lie together: then making pieces can be saved. */
  readonly memory: Memory | undefined;
  readonly #pieces: readonly Uint8Array[] | undefined;

  constructor(
    out: ByteWriter,
    blocks: ReadonlySet<BlockFacts>,
    places: ReadonlySet<Place>,
    modules: ReadonlySet<string>,
  ) {
    this.byteLength = out.byteLength;
    this.blocks = blocks;
    this.places = places;
    this.modules = modules;
    this.memory = out.isWhole ? out.memory() : undefined;
    this.#pieces = out.isWhole ? undefined : out.pieces();
  }

  /**
   * The bytes, in order: one piece for almost everything, at an offset that is a multiple of 4; large byte arrays (from
   * 8 KiB) are pieces of their own that show the value's own memory, so that nothing large is copied twice.
   */
  get pieces(): readonly Uint8Array[] {
    return this.#pieces ?? [new Uint8Array(this.memory!.bytes.buffer, 0, this.byteLength)];
  }
}

/**
 * Turns a value into bytes: plain data and what structured clone knows by copy, shared objects and views
 * over shared memory by reference, registered classes by their codec.
 *
 * @param label what the value is called in errors: `args` makes `args[1].onDone`.
 * @param translation what shared objects are called instead of their handles.
 * @throws NotShareableError for functions, symbols, instances of other classes and too deep a nesting.
 */
export function encode(value: unknown, label = 'value', translation?: Translation): Encoded {
  const { pieces, byteLength, blocks, places, modules } = encodeParts(value, label, translation);
  const bytes = pieces.length === 1 ? Buffer.from(pieces[0]!) : Buffer.concat(pieces, byteLength);
  return { bytes, blocks, places, modules };
}

/**
 * Like `encode`, for whoever copies the bytes elsewhere at once.
 *
 * @throws NotShareableError as `encode` does.
 */
export function encodeParts(value: unknown, label = 'value', translation?: Translation): EncodedParts {
  const encoder = idle ?? new Encoder();
  // Values are encoded while values are encoded, by codecs of registered classes and by getters: those take another.
  idle = undefined;
  const parts = encoder.run(value, label, translation);
  // One that is not kept, because of what is thrown, is not missed.
  if (encoder.forget()) idle = encoder;
  return parts;
}

let idle: Encoder | undefined;

/** What has grown beyond this is let go of. */
const MAX_KEPT_BYTES = 1024 * 1024;
const MANY_ITEMS = 1_000_000;
const MAX_COPIED_BYTES = 0xffff_ffff;

const none: ReadonlySet<never> = new Set<never>();

// V8 knows this method within for-in, and calls nothing.
const isOwn = Object.prototype.hasOwnProperty;

class Encoder {
  readonly #out = new ByteWriter();
  #label = '';
  #translation: Translation | undefined;
  readonly #trail: Key[] = [];
  #blocks: Set<BlockFacts> | undefined;
  #places: Set<Place> | undefined;
  #modules: Set<string> | undefined;
  #depth = 0;
  readonly #met = new MetObjects();
  /** Instances of registered classes whose codecs are at work. */
  #unfinished: Set<object> | undefined;

  run(value: unknown, label: string, translation: Translation | undefined): EncodedParts {
    this.#label = label;
    this.#translation = translation;
    this.#out.byte(VERSION);
    this.#value(value);
    if (!this.#out.complete) throw this.#refuse('a value whose memory was taken away while it was encoded');
    return new EncodedParts(this.#out, this.#blocks ?? none, this.#places ?? none, this.#modules ?? none);
  }

  /**
   * Refers to nothing any more of what it has encoded. The bytes stay as they are until the next value is.
   *
   * @returns whether it can be used again; not one that has become large.
   */
  forget(): boolean {
    this.#out.clear();
    this.#met.clear();
    this.#translation = undefined;
    this.#blocks = undefined;
    this.#places = undefined;
    this.#modules = undefined;
    this.#unfinished = undefined;
    return this.#out.capacity <= MAX_KEPT_BYTES;
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
    const out = this.#out;
    const magnitude = value < 0n ? -value : value;
    out.byte(tag.bigint);
    out.byte(value < 0n ? 1 : 0);
    if (BigInt.asUintN(64, magnitude) === magnitude) {
      out.uint32(8);
      return out.bigUint64(magnitude);
    }
    const hex = magnitude.toString(16);
    const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
    if (bytes.length > MAX_BIGINT_BYTES) throw this.#refuse('a bigint of more than a million bytes');
    out.uint32(bytes.length);
    out.bytes(bytes);
  }

  #string(value: string): void {
    const out = this.#out;
    const { length } = out;
    if (value.length < 256) {
      out.byte(tag.shortString);
      out.byte(value.length);
    } else {
      out.byte(tag.latin1);
      out.uint32(value.length);
    }
    if (out.latin1(value)) return;
    out.rewind(length);
    out.byte(tag.utf16);
    out.uint32(value.length * 2);
    out.utf16(value);
  }

  #object(value: object): void {
    const known = this.#met.numberOf(value);
    if (known >= 0) {
      if (this.#unfinished?.has(value)) throw this.#refuse('a cycle through an instance of a registered class');
      this.#out.byte(tag.reference);
      return this.#out.uint32(known);
    }
    if (this.#depth >= MAX_DEPTH) throw this.#refuse(`a value nested more than ${MAX_DEPTH} levels deep`);
    this.#depth += 1;
    this.#met.add(value);
    this.#content(value);
    this.#depth -= 1;
  }

  #content(value: object): void {
    const out = this.#out;

    const prototype = Object.getPrototypeOf(value) as object | null;
    if (prototype === Object.prototype || prototype === null) return this.#plain(value);
    if (Array.isArray(value) && prototype === Array.prototype) return this.#array(value);
    const registered = registeredTypeOf(value);
    if (registered === undefined && ArrayBuffer.isView(value)) {
      const name = viewName(value);
      if (prototype.constructor?.name === name) return this.#view(value, name);
    }
    const shared = sharedKindOf(value);
    if (shared !== undefined) {
      if (this.#translation !== undefined) return this.#translate(value);
      const block = shared.block?.(value);
      if (block !== undefined) this.#holdBlock(block);
      for (const place of shared.places?.(value) ?? []) this.#holdPlace(place);
      if (shared.module !== undefined) {
        this.#modules ??= new Set();
        this.#modules.add(shared.module);
      }
      out.byte(tag.shared);
      return this.#string(shared.handle(value));
    }
    if (registered !== undefined) {
      this.#unfinished ??= new Set();
      this.#unfinished.add(value);
      out.byte(tag.registered);
      this.#string(registered.name);
      this.#value(registered.codec.encode(value));
      this.#unfinished.delete(value);
      return;
    }
    // Errors of any class travel, as what another process can make of them; other subclasses would lose what they are.
    if (types.isNativeError(value) || value instanceof DOMException) return this.#error(value as Error);
    const base = Object.getPrototypeOf(prototype) as object | null;
    if (base === null || Object.getPrototypeOf(base) === null) return this.#builtIn(value);
    throw this.#refuse(describeInstance(value));
  }

  #translate(shared: object): void {
    const name = this.#translation!.nameOf(shared);
    if (name === undefined) throw this.#refuse(`${describeInstance(shared)} of this machine or another connection`);
    this.#out.byte(tag.shared);
    this.#string(name);
  }

  #plain(value: object): void {
    const out = this.#out;
    out.byte(tag.object);
    const countAt = out.length;
    out.uint32(0);
    let count = 0;
    for (const key in value) {
      if (!isOwn.call(value, key)) continue;
      this.#string(key);
      this.#child(key, (value as Record<string, unknown>)[key]);
      count += 1;
    }
    out.patchUint32(countAt, count);
  }

  #array(value: readonly unknown[]): void {
    // A getter met on the way may change it.
    const { length } = value;
    if (length > MANY_ITEMS && Object.keys(value).length < length / 2) {
      throw this.#refuse('an array that is mostly holes');
    }
    this.#out.byte(tag.array);
    this.#out.uint32(length);
    for (let i = 0; i < length; i++) {
      if (value[i] === undefined && !(i in value)) this.#out.byte(tag.hole);
      else this.#child(i, value[i]);
    }
  }

  #child(key: Key, value: unknown): void {
    if (!isObject(value) && typeof value !== 'symbol') {
      this.#value(value);
      return;
    }
    this.#trail.push(key);
    this.#value(value);
    this.#trail.pop();
  }

  #view(view: ArrayBufferView, name: ViewName): void {
    if (isShared(view.buffer)) return this.#memory(view, view.buffer, name, view.byteOffset, view.byteLength);
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
  #memory(value: object, buffer: ArrayBufferLike, name: string, byteOffset: number, byteLength: number): void {
    if (this.#translation?.memory) return this.#translate(value);
    if (this.#translation !== undefined) throw this.#refuse('shared memory of this machine');
    const place = rawPlaceOf(buffer);
    if (place !== undefined) {
      this.#holdPlace(place);
      this.#out.byte(tag.shared);
      return this.#string(rawHandle(place, name, byteOffset, byteLength));
    }
    const block = blockOf(buffer)!;
    if (!block.hold.open) throw new ClosedError(`The shared memory block '${block.name}' has been closed here.`);
    this.#holdBlock(block);
    this.#out.byte(tag.shared);
    this.#string(viewHandle(block, name, byteOffset, byteLength));
  }

  #holdBlock(block: BlockFacts): void {
    this.#blocks ??= new Set();
    this.#blocks.add(block);
  }

  #holdPlace(place: Place): void {
    this.#places ??= new Set();
    this.#places.add(place);
  }

  #builtIn(value: object): void {
    const out = this.#out;
    if (types.isMap(value)) {
      out.byte(tag.map);
      out.uint32(value.size);
      // A copy: a getter met on the way may change the Map.
      for (const [key, item] of [...value]) {
        this.#child('<key>', key);
        this.#child(isObject(key) ? key : String(key), item);
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
      if (isShared(value)) return this.#memory(value, value, 'ArrayBuffer', 0, value.byteLength);
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
    const met = this.#met.size;
    const blocks = this.#blocks?.size ?? 0;
    const places = this.#places?.size ?? 0;
    try {
      this.#string(key);
      this.#child(key, Reflect.get(error, key));
      return true;
    } catch {
      this.#out.rewind(length);
      this.#trail.length = trail;
      this.#depth = depth;
      for (const object of this.#met.forget(met)) this.#unfinished?.delete(object);
      shorten(this.#blocks, blocks);
      shorten(this.#places, places);
      return false;
    }
  }

  #refuse(what: string): NotShareableError {
    return refusal(this.#label, this.#trail, what);
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

/** Leaves the `size` items that came first. */
function shorten<T>(set: Set<T> | undefined, size: number): void {
  if (set !== undefined) for (const item of [...set].slice(size)) set.delete(item);
}

function isPlainOfOtherRealm(value: object): boolean {
  const prototype = Object.getPrototypeOf(value) as object;
  if (Array.isArray(value)) return prototype.constructor?.name === 'Array';
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, 'isPrototypeOf');
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' ? value !== null : typeof value === 'function';
}
