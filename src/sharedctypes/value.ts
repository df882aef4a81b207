import { inspect } from 'node:util';
import { registerSharedKind } from '../codec/internal.js';
import { ValueError } from '../errors/index.js';
import { type Handle, markUncloneable, refuseJson } from '../shared-memory/internal.js';
import type { Lock, RLock } from '../synchronize/index.js';
import type { NotPromise } from '../synchronize/internal.js';
import { atomically } from './atomics.js';
import { type Locked, LockedBase, lockOption, openLock, splitLock } from './locked.js';
import { makeFilled, RawValueClass, type RawValueOf } from './raw-value.js';
import type { AnyType, Read, Write } from './type-codes.js';
import { showType, typeFromText } from './types.js';
import { openValueMemory, type ValueMemory } from './value-memory.js';
import { enter, wrapperOf } from './wrappers.js';

/**
 * A single value in shared memory with a lock, which guards it only as far as one uses it: reading and writing `value`, and
 * each of the atomic operations, is one access that needs no lock, and may be done with or without it.
 */
export interface Synchronized<C> extends Locked {
  /**
   * The value; of a structure, a view of the memory, of which each field is atomic by itself. `v.value += 1` are two
   * accesses: do it with the lock held, or use `add`.
   *
   * @throws TypeError for a value of a wrong type, or an unknown field; RangeError for one that does not fit. Then nothing
   * has been changed.
   */
  get value(): Read<C>;
  set value(value: Write<C>);
  /** The value without the lock. */
  getObj(): RawValueOf<C>;
  readonly handle: Handle<Synchronized<C>>;
  /**
   * Adds atomically. @returns the value before.
   *
   * @throws RangeError when the sum does not fit, with nothing changed; TypeError for what is no number. Structures have no
   * atomic operations: TypeError, here and below.
   */
  add(n: Write<C>): Read<C>;
  /** Writes atomically. @returns the value before. */
  exchange(value: Write<C>): Read<C>;
  /**
   * Writes if the value is the expected one, atomically. Compared as numbers: 0 and -0 are the same, NaN is itself.
   *
   * @returns the value before.
   */
  compareExchange(expected: Write<C>, value: Write<C>): Read<C>;
  /**
   * Writes what `fn` makes of the value, atomically: `fn` is called with no lock held, and again if the value has changed
   * meanwhile.
   *
   * @returns the value after. @throws TypeError when `fn` returns a promise, and what it throws; then nothing has been
   * changed.
   */
  update(fn: (old: Read<C>) => NotPromise<Write<C>>): Read<C>;
}

class SynchronizedClass extends LockedBase {
  static {
    Object.defineProperty(SynchronizedClass, 'name', { value: 'Value' });
  }

  readonly #memory: ValueMemory;
  #raw: RawValueClass | undefined;
  #handle: string | undefined;

  constructor(memory: ValueMemory, given: Lock | RLock | undefined, raw?: RawValueClass) {
    super(memory.place, given);
    this.#memory = memory;
    this.#raw = raw;
    markUncloneable(this);
  }

  get value(): unknown {
    return this.#memory.get();
  }

  set value(value: unknown) {
    this.#memory.set(value);
  }

  getObj(): RawValueClass {
    this.#raw ??= new RawValueClass(this.#memory);
    return this.#raw;
  }

  add(n: unknown): unknown {
    const { type, cells, index } = this.#memory;
    this.#memory.used();
    return atomically(type).add(cells, index, n);
  }

  exchange(value: unknown): unknown {
    const { type, cells, index } = this.#memory;
    this.#memory.used();
    return atomically(type).exchange(cells, index, value);
  }

  compareExchange(expected: unknown, value: unknown): unknown {
    const { type, cells, index } = this.#memory;
    this.#memory.used();
    return atomically(type).compareExchange(cells, index, expected, value);
  }

  update(fn: (old: unknown) => unknown): unknown {
    if (typeof fn !== 'function') throw new TypeError('update takes a function.');
    const { type, cells, index } = this.#memory;
    this.#memory.used();
    return atomically(type).update(cells, index, fn);
  }

  get handle(): string {
    this.#handle ??= enter(`mp:value:${this.#memory.fields}${this.lockText}`, this);
    return this.#handle;
  }

  toJSON(): never {
    return refuseJson('Value');
  }

  [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `Value(${showType(this.#memory.type)}, ${show(this.#memory.get(), options)})`;
  }

  protected used(): void {
    this.#memory.used();
  }
}

type ValueOf<C, L> = L extends false ? RawValueOf<C> : Synchronized<C>;

/**
 * Makes a single value in shared memory, with a lock.
 *
 * It travels as the same value, to a Process in its args or anywhere as a handle, and lives as long as anybody has it.
 *
 * @param type a {@link TypeCode}, or a structure.
 * @param init its value, otherwise zero; of a structure, those of some fields.
 * @param options.lock `true`, by default, gives it an RLock of its own; a Lock or RLock is used as it is; `false` makes a
 * {@link RawValue}.
 * @throws TypeError for an unknown type, a value of a wrong one, or a wrong lock; RangeError for a value that does not fit; a
 * system error `ENOSPC` when there is no room.
 *
 * @example
 * ```ts
 * import { Value } from 'multiprocess';
 *
 * const total = Value('i', 7);
 * total.runSync(() => {
 *   total.value += 1; // one process at a time
 * });
 * total.add(2); // atomic by itself
 * console.log(total.update((old) => old * 2), total); // 20 Value('i', 20)
 * ```
 */
export const Value: {
  <C extends AnyType, const L extends boolean | Lock | RLock = true>(
    type: C,
    init?: Write<C>,
    options?: { lock?: L },
  ): ValueOf<C, L>;
  new <C extends AnyType, const L extends boolean | Lock | RLock = true>(
    type: C,
    init?: Write<C>,
    options?: { lock?: L },
  ): ValueOf<C, L>;
} = function Value(type: unknown, init?: unknown, options?: unknown): RawValueClass | SynchronizedClass {
  const lock = lockOption(options);
  if (lock === false) return new RawValueClass(makeFilled(type, init, 'RawValue', false));
  return new SynchronizedClass(makeFilled(type, init, 'Value', lock.own), lock.given);
} as never;
Object.defineProperties(Value, { name: { value: 'Value' }, prototype: { value: SynchronizedClass.prototype } });

/** A raw value with a lock. */
export function synchronizedValue(raw: RawValueClass, lock: Lock | RLock): Synchronized<unknown> {
  return new SynchronizedClass(RawValueClass.memoryOf(raw), lock, raw) as unknown as Synchronized<unknown>;
}

registerSharedKind<SynchronizedClass>({
  kind: 'value',
  type: SynchronizedClass as abstract new (...args: never[]) => SynchronizedClass,
  handle: (value) => value.handle,
  places: LockedBase.placesOf,
  open: (fields) => {
    const [, type, rest] = /^([^:]+):(.*)$/s.exec(fields) ?? [];
    if (type === undefined || rest === undefined) throw new ValueError(`This is no value: '${fields.slice(0, 80)}'.`);
    const { place, lock } = splitLock(rest);
    const memory = openValueMemory(typeFromText(type), place, { locked: lock === undefined });
    const value = new SynchronizedClass(memory, openLock(lock));
    return wrapperOf(value.handle, () => value);
  },
});
