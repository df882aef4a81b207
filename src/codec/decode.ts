import { ValueError } from '../errors/index.js';
import { ByteReader } from './byte-reader.js';
import { hide, makeError } from './errors-across.js';
import { registeredTypeNamed } from './registered-types.js';
import { parseHandle } from './shared-kinds.js';
import { MAX_BIGINT_BYTES, MAX_DEPTH, makeView, tag, VERSION, viewNames } from './tags.js';
import type { Translation } from './translation.js';

let idle: Decoder | undefined;

/**
 * Turns the bytes that `encode` made back into the value. Shared objects in it are opened here; everything else lies in
 * memory of its own, so the bytes may lie in shared memory.
 *
 * @param translation who knows what shared objects are called, if not by their handles.
 * @param start where they begin in `bytes`, and `end` where they end.
 * @throws ValueError for bytes that are no encoded value; StaleHandleError when a shared object in it is gone.
 */
export function decode(bytes: Uint8Array, translation?: Translation, start = 0, end = bytes.length): unknown {
  const decoder = idle ?? new Decoder();
  // Values are decoded while values are decoded, by codecs of registered classes: those take another.
  idle = undefined;
  try {
    return decoder.run(bytes, start, end, translation);
  } finally {
    decoder.clear();
    idle = decoder;
  }
}

/** More entries than this are let go of together with their array. */
const MOST_KEPT = 64;

class Decoder {
  readonly #in = new ByteReader();
  #translation: Translation | undefined;
  /** Objects by number. Containers are entered before their contents are read, so that those can refer to them. */
  #seen: unknown[] = [];
  #count = 0;
  #depth = 0;

  run(bytes: Uint8Array, start: number, end: number, translation: Translation | undefined): unknown {
    const input = this.#in;
    this.#translation = translation;
    input.reset(bytes, start, end);
    if (input.byte() !== VERSION) throw input.broken();
    const value = this.value();
    if (input.remaining !== 0) throw input.broken();
    return value;
  }

  /** Holds nothing any more: wrappers of shared objects live no longer than their users want. */
  clear(): void {
    this.#in.clear();
    this.#translation = undefined;
    this.#depth = 0;
    if (this.#count > MOST_KEPT) this.#seen = [];
    // Setting a length takes longer than this for the few that most have.
    else for (let i = 0; i < this.#count; i++) this.#seen[i] = undefined;
    this.#count = 0;
  }

  #enter(object: unknown): number {
    this.#seen[this.#count] = object;
    return this.#count++;
  }

  value(): unknown {
    const kind = this.#in.byte();
    if (kind >= tag.smallInteger) return kind - tag.smallInteger;
    switch (kind) {
      case tag.undefined:
        return undefined;
      case tag.null:
        return null;
      case tag.false:
        return false;
      case tag.true:
        return true;
      case tag.int32:
        return this.#in.int32();
      case tag.double:
        return this.#in.double();
      case tag.bigint:
        return this.#bigint();
      case tag.shortString:
        return this.#in.latin1(this.#in.byte());
      case tag.latin1:
        return this.#in.latin1(this.#in.count());
      case tag.utf16:
        return this.#in.utf16(this.#in.count());
      case tag.reference:
        return this.#reference();
      default:
        return this.#object(kind);
    }
  }

  #bigint(): bigint {
    const negative = this.#in.byte() === 1;
    const length = this.#in.count();
    if (length > MAX_BIGINT_BYTES) throw this.#in.broken();
    const magnitude = length === 8 ? this.#in.bigUint64() : this.#magnitude(length);
    return negative ? -magnitude : magnitude;
  }

  #magnitude(length: number): bigint {
    const hex = this.#in.buffer(length).toString('hex');
    return hex === '' ? 0n : BigInt(`0x${hex}`);
  }

  #reference(): unknown {
    const index = this.#in.uint32();
    const found = index < this.#count ? this.#seen[index] : pending;
    if (found === pending) throw this.#in.broken();
    return found;
  }

  #object(kind: number): unknown {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#in.broken();
    const value = this.#build(kind);
    this.#depth -= 1;
    return value;
  }

  #build(kind: number): unknown {
    switch (kind) {
      case tag.object:
        return this.#plain();
      case tag.array:
        return this.#array();
      case tag.map:
        return this.#map();
      case tag.set:
        return this.#set();
      default: {
        const number = this.#enter(pending);
        const value = kind === tag.error ? this.#error(number) : this.#whole(kind);
        this.#seen[number] = value;
        return value;
      }
    }
  }

  #plain(): object {
    const object: Record<string, unknown> = {};
    this.#enter(object);
    for (let left = this.#in.count(); left > 0; left--) {
      const key = this.#key();
      assign(object, key, this.value());
    }
    return object;
  }

  #array(): unknown[] {
    const array: unknown[] = [];
    this.#enter(array);
    const length = this.#in.count();
    for (let i = 0; i < length; i++) {
      if (this.#in.skipIf(tag.hole)) array.length = i + 1;
      else array[i] = this.value();
    }
    return array;
  }

  #map(): Map<unknown, unknown> {
    const map = new Map<unknown, unknown>();
    this.#enter(map);
    for (let left = this.#in.count(); left > 0; left--) map.set(this.value(), this.value());
    return map;
  }

  #set(): Set<unknown> {
    const set = new Set<unknown>();
    this.#enter(set);
    for (let left = this.#in.count(); left > 0; left--) set.add(this.value());
    return set;
  }

  /** What is there only when all of it has been read, so that nothing in it can refer to it. */
  #whole(kind: number): unknown {
    const input = this.#in;
    switch (kind) {
      case tag.date:
        return new Date(input.double());
      case tag.regexp:
        return this.#regexp();
      case tag.arrayBuffer:
        return input.bytes(input.count()).buffer;
      case tag.view:
        return this.#view();
      case tag.shared: {
        const name = this.#text();
        if (this.#translation !== undefined) return this.#translation.named(name);
        const { kind: shared, fields } = parseHandle(name);
        return shared.open(fields);
      }
      case tag.registered:
        return this.#registered();
      case tag.boxed:
        return Object(this.value());
      default:
        throw input.broken();
    }
  }

  #key(): string {
    return this.#in.skipIf(tag.shortString) ? this.#in.key(this.#in.byte()) : this.#text();
  }

  #text(): string {
    const text = this.value();
    if (typeof text !== 'string') throw this.#in.broken();
    return text;
  }

  #regexp(): RegExp {
    try {
      return new RegExp(this.#text(), this.#text());
    } catch {
      throw this.#in.broken();
    }
  }

  #error(number: number): Error {
    const className = this.#text();
    const message = this.#text();
    const stack = this.value();
    const error = makeError(className, message, typeof stack === 'string' ? stack : undefined);
    this.#seen[number] = error;
    for (let left = this.#in.count(); left > 0; left--) {
      const key = this.#text();
      const value = this.value();
      if (key === 'cause' || key === 'errors') hide(error, key, value);
      else Object.defineProperty(error, key, { value, writable: true, enumerable: true, configurable: true });
    }
    return error;
  }

  #view(): ArrayBufferView {
    const name = viewNames[this.#in.byte()];
    const bytes = this.#in.count();
    if (name === undefined) throw this.#in.broken();
    if (name === 'Uint8Array') return this.#in.bytes(bytes);
    if (name === 'Buffer') return this.#in.buffer(bytes);
    try {
      return makeView(name, this.#in.bytes(bytes).buffer, 0, bytes);
    } catch (cause) {
      if (cause instanceof ValueError) throw cause;
      throw new ValueError(`A ${name} of ${bytes} bytes cannot be made here.`, { cause });
    }
  }

  #registered(): unknown {
    const name = this.#text();
    const registered = registeredTypeNamed(name);
    if (registered === undefined) {
      throw new ValueError(`A value of class ${name} has arrived; call registerType(${name}, …) in this process too.`);
    }
    return registered.codec.decode(this.value());
  }
}

const pending = Symbol('being decoded');

/** `__proto__` as a key is data here, never the prototype. */
function assign(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__') {
    Object.defineProperty(object, key, { value, writable: true, enumerable: true, configurable: true });
  } else object[key] = value;
}
