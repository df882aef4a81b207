import { ValueError } from '../errors/index.js';
import { ByteReader } from './byte-reader.js';
import { hide, makeError } from './errors-across.js';
import { registeredTypeNamed } from './registered-types.js';
import { parseHandle } from './shared-kinds.js';
import { MAX_BIGINT_BYTES, MAX_DEPTH, makeView, tag, VERSION, viewNames } from './tags.js';

/**
 * Turns the bytes that `encode` made back into the value. Shared objects in it are opened here.
 *
 * @throws ValueError for bytes that are no encoded value; StaleHandleError when a shared object in it is gone.
 */
export function decode(bytes: Uint8Array): unknown {
  const reader = new ByteReader(bytes);
  if (reader.byte() !== VERSION) throw reader.broken();
  const value = new Decoder(reader).value();
  if (reader.remaining !== 0) throw reader.broken();
  return value;
}

class Decoder {
  readonly #in: ByteReader;
  readonly #seen: unknown[] = [];
  #depth = 0;

  constructor(reader: ByteReader) {
    this.#in = reader;
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
        return this.#in.text(this.#in.byte(), 'latin1');
      case tag.latin1:
        return this.#in.text(this.#in.count(), 'latin1');
      case tag.utf16:
        return this.#in.text(this.#in.count(), 'utf16le');
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
    const magnitude = Buffer.from(this.#in.bytes(length)).toString('hex');
    const value = magnitude === '' ? 0n : BigInt(`0x${magnitude}`);
    return negative ? -value : value;
  }

  #reference(): unknown {
    const index = this.#in.uint32();
    const found = index < this.#seen.length ? this.#seen[index] : pending;
    if (found === pending) throw this.#in.broken();
    return found;
  }

  #object(kind: number): unknown {
    this.#depth += 1;
    if (this.#depth > MAX_DEPTH) throw this.#in.broken();
    const place = this.#seen.length;
    this.#seen.push(pending);
    const value = this.#build(kind, (container) => {
      this.#seen[place] = container;
      return container;
    });
    this.#seen[place] = value;
    this.#depth -= 1;
    return value;
  }

  // Containers announce themselves before their contents are read, so that those can refer to them.
  #build(kind: number, announce: <T>(container: T) => T): unknown {
    const input = this.#in;
    switch (kind) {
      case tag.object: {
        const object = announce<Record<string, unknown>>({});
        for (let left = input.count(); left > 0; left--) assign(object, this.#text(), this.value());
        return object;
      }
      case tag.array:
        return this.#array(announce);
      case tag.map: {
        const map = announce(new Map());
        for (let left = input.count(); left > 0; left--) map.set(this.value(), this.value());
        return map;
      }
      case tag.set: {
        const set = announce(new Set());
        for (let left = input.count(); left > 0; left--) set.add(this.value());
        return set;
      }
      case tag.date:
        return new Date(input.double());
      case tag.regexp:
        return this.#regexp();
      case tag.error:
        return this.#error(announce);
      case tag.arrayBuffer:
        return input.bytes(input.count());
      case tag.view:
        return this.#view();
      case tag.shared: {
        const { kind: shared, fields } = parseHandle(this.#text());
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

  #text(): string {
    const text = this.value();
    if (typeof text !== 'string') throw this.#in.broken();
    return text;
  }

  #array(announce: <T>(container: T) => T): unknown[] {
    const length = this.#in.count();
    const array = announce<unknown[]>([]);
    for (let i = 0; i < length; i++) {
      if (this.#in.skipIf(tag.hole)) array.length = i + 1;
      else array[i] = this.value();
    }
    return array;
  }

  #regexp(): RegExp {
    try {
      return new RegExp(this.#text(), this.#text());
    } catch {
      throw this.#in.broken();
    }
  }

  #error(announce: <T>(container: T) => T): Error {
    const className = this.#text();
    const message = this.#text();
    const stack = this.value();
    const error = announce(makeError(className, message, typeof stack === 'string' ? stack : undefined));
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
    try {
      return makeView(name, this.#in.bytes(bytes), 0, bytes);
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
