import { CorruptSegmentError, TimeoutError } from '../errors/index.js';
import { tryLockFile, unlockFile } from '../os/index.js';
import { canonicalFormat, type ItemFormat, type ItemKind, parseFormat, versionedFormat } from './list-format.js';
import {
  code,
  decodeBytes,
  type EncodedItem,
  formatBytes,
  type Int64Reading,
  type ShareableItem,
} from './list-item.js';
import type { ListLayout } from './list-layout.js';

// An item is three places: 8 bytes of format, 1 byte of code, and its slot. Python writes them one after the other, so
// its readers can see one item's bytes through another's format. Between processes of this library:
//
//   A number that replaces one of the same type is one 8-byte store, without a lock.
//   Any other write holds the list's lock, an open-file-description lock that the kernel takes from the dead. It sets the
//   code to 3 ("None", whatever the format), then the slot, then the format, with other blanks, then the code.
//   Numbers, booleans and null are read without a lock: code and format, the slot, and code and format again.
//   Strings and bytes are copied out under the lock. So is an item in the middle of a write (code 3 beside a format other than
//   None's): if it still is then, its writer has been killed, and it reads as null until it is written again.
//
// Two processes that write one item need a lock of their own, as in Python.

// Two bytes, so that readers who come one after another do not keep a writer out: who reads passes through the gate and
// leaves it at once; who writes keeps it closed while the last readers leave.
const GATE_BYTE = (1n << 62n) + 3n;
const LOCK_BYTE = GATE_BYTE + 1n;
const PATIENCE_MS = 5000;
const EAGER_TRIES = 20;
const POLL_MS = 0.05;

/** Formats of slots as large as this have too little room for blanks to tell versions apart. */
const MANY_BYTES = 100_000;

const INT64_LOW = 0x71; // 'q' as Python writes it
const DOUBLE_LOW = 0x64; // 'd'
const scratch = new Int32Array(1);
const sleeper = new Int32Array(new SharedArrayBuffer(4));

/** The items of a list in its memory. */
export class ListCells {
  readonly #layout: ListLayout;
  readonly #int64: Int64Reading;
  readonly #fd: number;
  readonly #bytes: Buffer;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #integers: BigInt64Array;

  /** @param fd of the list's block, for its lock. */
  constructor(buffer: ArrayBuffer, layout: ListLayout, int64: Int64Reading, fd: number) {
    this.#layout = layout;
    this.#int64 = int64;
    this.#fd = fd;
    this.#bytes = Buffer.from(buffer);
    this.#words = new Int32Array(buffer, 0, Math.floor(buffer.byteLength / 4));
    this.#doubles = new Float64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
    this.#integers = new BigInt64Array(buffer, 0, Math.floor(buffer.byteLength / 8));
  }

  /** @throws TimeoutError when a writer that lives, but has been stopped, holds the lock for seconds. */
  read(index: number): ShareableItem {
    const { slots, formats, codes } = this.#layout;
    const slot = slots[index]! / 8;
    const format = formats / 4 + 2 * index;
    const itemCode = Atomics.load(this.#bytes, codes + index);
    const low = this.#words[format]!;
    const high = this.#words[format + 1]!;
    // The hot path: numbers whose type has never changed.
    if (itemCode === code.plain && high === 0 && low === INT64_LOW) {
      const value = this.#integers[slot]!;
      if (this.#unchanged(index, itemCode, low, high)) return this.#int(value);
    } else if (itemCode === code.plain && high === 0 && low === DOUBLE_LOW) {
      const value = this.#doubles[slot]!;
      if (this.#unchanged(index, itemCode, low, high)) return value;
    } else {
      const parsed = slots[index + 1]! - slots[index]! < MANY_BYTES ? parseFormat(low, high) : undefined;
      if (parsed !== undefined && parsed.kind !== 'text') {
        const value = this.#plain(index, itemCode, parsed);
        if (value !== undefined && this.#unchanged(index, itemCode, low, high)) return value;
      }
    }
    return this.#locked('shared', () => this.#takeAtRest(index))();
  }

  /** @throws ValueError when a string or bytes do not fit; nothing is changed then. TimeoutError as `read`. */
  write(index: number, item: EncodedItem): void {
    const { slots, formats, codes } = this.#layout;
    const slot = slots[index]!;
    const format = formats / 4 + 2 * index;
    if (item.kind === 'int64' || item.kind === 'double') {
      // The hot path: a number of the type that is there.
      const low = this.#words[format]!;
      const high = this.#words[format + 1]!;
      if (Atomics.load(this.#bytes, codes + index) === code.plain && kindOf(low, high) === item.kind) {
        if (item.kind === 'int64') this.#integers[slot / 8] = item.value;
        else this.#doubles[slot / 8] = item.value;
        return;
      }
    }
    // Whatever can fail does so before anything is changed.
    const length = 'bytes' in item ? formatBytes(item.bytes, slots[index + 1]! - slot) : 8;
    this.#locked('exclusive', () => this.#replace(index, item, length));
  }

  /** Writes the first value of an item, in a list that nobody else can know of, exactly as Python would. */
  initialize(index: number, item: EncodedItem): void {
    const { slots, formats, codes } = this.#layout;
    const length = 'bytes' in item ? formatBytes(item.bytes, slots[index + 1]! - slots[index]!) : 8;
    this.#store(index, item);
    this.#bytes.write(
      canonicalFormat(formatKind(item), length, isExact(item, length, slots, index)),
      formats + 8 * index,
      'latin1',
    );
    this.#bytes[codes + index] = codeOf(item);
  }

  /** The format of an item as Python writes it in a new list. */
  format(index: number): string {
    const at = this.#layout.formats / 4 + 2 * index;
    const parsed = parseFormat(this.#words[at]!, this.#words[at + 1]!);
    if (parsed === undefined) throw this.#corrupt(index);
    const { slots } = this.#layout;
    return canonicalFormat(parsed.kind, parsed.length, parsed.length < slots[index + 1]! - slots[index]!);
  }

  #int(value: bigint): number | bigint {
    if (this.#int64 === 'bigint') return value;
    const number = Number(value);
    return this.#int64 === 'number' || Number.isSafeInteger(number) ? number : value;
  }

  /** What a slot of 8 bytes holds; `undefined` when code and format do not go together. */
  #plain(index: number, itemCode: number, { kind }: ItemFormat): ShareableItem | undefined {
    const slot = this.#layout.slots[index]!;
    if (kind === 'null') return itemCode === code.null ? null : undefined;
    if (itemCode !== code.plain) return undefined;
    if (kind === 'int64') return this.#int(this.#integers[slot / 8]!);
    return kind === 'double' ? this.#doubles[slot / 8]! : this.#bytes[slot + 7] !== 0;
  }

  /** Under the lock: nobody writes, so what is there stays. Returns what turns the bytes taken into the value. */
  #takeAtRest(index: number): () => ShareableItem {
    const { slots, formats, codes } = this.#layout;
    const itemCode = this.#bytes[codes + index]!;
    const format = formats / 4 + 2 * index;
    const parsed = parseFormat(this.#words[format]!, this.#words[format + 1]!);
    if (itemCode === code.null) return () => null; // None, or a write that its writer's death cut short
    const capacity = slots[index + 1]! - slots[index]!;
    if (parsed?.kind === 'text' && parsed.length <= capacity && itemCode !== code.plain && itemCode <= code.bytes) {
      const stored = Buffer.from(this.#bytes.subarray(slots[index]!, slots[index]! + parsed.length));
      return () => decodeBytes(stored, capacity, itemCode, index);
    }
    const value = parsed && this.#plain(index, itemCode, parsed);
    if (value === undefined) throw this.#corrupt(index);
    return () => value;
  }

  #replace(index: number, item: EncodedItem, length: number): void {
    const { slots, formats, codes } = this.#layout;
    const format = formats / 4 + 2 * index;
    const before = parseFormat(this.#words[format]!, this.#words[format + 1]!);
    Atomics.store(this.#bytes, codes + index, code.null);
    // arm64 lets a later plain store overtake the atomic one unless a load stands between.
    Atomics.load(this.#bytes, codes + index);
    this.#store(index, item);
    const exact = isExact(item, length, slots, index);
    const name = versionedFormat(formatKind(item), length, exact, (before?.version ?? 0) + 1);
    this.#integers[formats / 8 + index] = name.readBigInt64LE(0); // one store: there is never half a format
    Atomics.store(this.#bytes, codes + index, codeOf(item));
  }

  #store(index: number, item: EncodedItem): void {
    const { slots } = this.#layout;
    const slot = slots[index]!;
    if (item.kind === 'int64') this.#integers[slot / 8] = item.value;
    else if (item.kind === 'double') this.#doubles[slot / 8] = item.value;
    else if (item.kind === 'boolean') this.#integers[slot / 8] = item.value ? 1n << 56n : 0n;
    else if (item.kind === 'null') this.#integers[slot / 8] = 0n;
    else {
      this.#bytes.set(item.bytes, slot);
      this.#bytes.fill(0, slot + item.bytes.length, slots[index + 1]!);
    }
  }

  #unchanged(index: number, itemCode: number, low: number, high: number): boolean {
    const { formats, codes } = this.#layout;
    // On arm64 an acquiring load does not hold back earlier plain loads; a store before it does.
    Atomics.store(scratch, 0, 0);
    const format = formats / 4 + 2 * index;
    return (
      Atomics.load(this.#bytes, codes + index) === itemCode &&
      this.#words[format] === low &&
      this.#words[format + 1] === high
    );
  }

  #locked<T>(kind: 'shared' | 'exclusive', use: () => T): T {
    try {
      if (kind === 'shared') {
        this.#wait(() => tryLockFile(this.#fd, 'shared', GATE_BYTE, 2n));
        unlockFile(this.#fd, GATE_BYTE);
      } else {
        this.#wait(() => tryLockFile(this.#fd, 'exclusive', GATE_BYTE));
        this.#wait(() => tryLockFile(this.#fd, 'exclusive', LOCK_BYTE));
      }
      return use();
    } finally {
      unlockFile(this.#fd, GATE_BYTE, 2n);
    }
  }

  #wait(attempt: () => boolean): void {
    for (let tries = 0; tries < EAGER_TRIES; tries++) if (attempt()) return;
    const deadline = performance.now() + PATIENCE_MS;
    while (!attempt()) {
      if (performance.now() > deadline) {
        throw new TimeoutError(
          `Another process has kept this ShareableList locked for ${PATIENCE_MS / 1000} s: it has been stopped, or is busy.`,
        );
      }
      Atomics.wait(sleeper, 0, 0, POLL_MS);
    }
  }

  #corrupt(index: number): CorruptSegmentError {
    const at = this.#layout.formats + 8 * index;
    const format = JSON.stringify(this.#bytes.toString('latin1', at, at + 8));
    return new CorruptSegmentError(`Item ${index} of the ShareableList has the format ${format}, which no list has.`);
  }
}

/** Of numbers only, without parsing where Python's own format stands. */
function kindOf(low: number, high: number): ItemKind | undefined {
  if (high === 0 && low === INT64_LOW) return 'int64';
  if (high === 0 && low === DOUBLE_LOW) return 'double';
  return parseFormat(low, high)?.kind;
}

/** Whether a text's format names its own length rather than its slot's. */
function isExact(item: EncodedItem, length: number, slots: Float64Array, index: number): boolean {
  return 'bytes' in item && length < slots[index + 1]! - slots[index]!;
}

function formatKind(item: EncodedItem): ItemKind {
  return 'bytes' in item ? 'text' : item.kind;
}

function codeOf(item: EncodedItem): number {
  if (item.kind === 'null') return code.null;
  return 'bytes' in item ? code[item.kind] : code.plain;
}
