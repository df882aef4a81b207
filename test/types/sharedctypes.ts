// Compiled with the tests, never run: the types of typed values, against what the public contract says of them.
import * as mp from 'multiprocess';
import { handleOf, Lock, open, RawArray, RawValue, SharedArray, Struct, Value } from 'multiprocess';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const holds = <_T extends true>(): void => {};

// Copied from the contract: what ours must be assignable to.
namespace contract {
  type NotPromise<T> = T extends PromiseLike<unknown> ? never : T;
  interface Acquirable {
    acquire(): Promise<true>;
    acquire(options: mp.WaitOptions): Promise<boolean>;
    acquireSync(): true;
    acquireSync(options: mp.SyncWaitOptions): boolean;
    tryAcquire(): boolean;
    guard(options?: mp.WaitOptions): Promise<mp.Guard>;
    guardSync(options?: mp.SyncWaitOptions): mp.Guard;
    run<T>(fn: () => T | PromiseLike<T>, options?: mp.WaitOptions): Promise<T>;
    runSync<T>(fn: () => NotPromise<T>, options?: mp.SyncWaitOptions): T;
  }
  interface Locked extends Acquirable {
    release(): void;
    getLock(): mp.Lock | mp.RLock;
    dispose(): void;
  }
  export interface CharArray {
    get value(): Uint8Array;
    set value(bytes: Uint8Array);
    get raw(): Uint8Array;
    set raw(bytes: Uint8Array);
    readonly length: number;
  }
  export interface ItemArray<C> extends Iterable<mp.Read<C>> {
    get(index: number): mp.Read<C>;
    set(index: number, value: mp.Write<C>): void;
    readonly length: number;
  }
  export interface RawValueOf<C> {
    get value(): mp.Read<C>;
    set value(value: mp.Write<C>);
  }
  export interface Synchronized<C> extends Locked {
    get value(): mp.Read<C>;
    set value(value: mp.Write<C>);
    getObj(): RawValueOf<C>;
    readonly handle: mp.Handle<mp.Synchronized<C>>;
    add(n: mp.Write<C>): mp.Read<C>;
    exchange(value: mp.Write<C>): mp.Read<C>;
    compareExchange(expected: mp.Write<C>, value: mp.Write<C>): mp.Read<C>;
    update(fn: (old: mp.Read<C>) => NotPromise<mp.Write<C>>): mp.Read<C>;
  }
  export interface SynchronizedArray<C> extends Locked, Iterable<mp.Read<C>> {
    get(index: number): mp.Read<C>;
    set(index: number, value: mp.Write<C>): void;
    at(index: number): mp.Read<C> | undefined;
    readonly length: number;
    slice(start?: number, end?: number): mp.Read<C>[];
    setSlice(start: number, values: Iterable<mp.Write<C>>): void;
    getObj(): mp.RawArrayOf<C>;
    add(index: number, n: mp.Write<C>): mp.Read<C>;
    exchange(index: number, value: mp.Write<C>): mp.Read<C>;
    compareExchange(index: number, expected: mp.Write<C>, value: mp.Write<C>): mp.Read<C>;
    readonly handle: mp.Handle<mp.SynchronizedArray<C>>;
  }
  export interface SynchronizedString extends SynchronizedArray<'c'> {
    get value(): Uint8Array;
    set value(bytes: Uint8Array);
    get raw(): Uint8Array;
    set raw(bytes: Uint8Array);
  }
}

export function asInTheContract(): void {
  const value: contract.Synchronized<'i'> = Value('i', 5);
  const wide: contract.Synchronized<'q'> = Value('q');
  const array: contract.SynchronizedArray<'d'> = SharedArray('d', 2);
  const text: contract.SynchronizedString = SharedArray('c', 4);
  const characters: contract.CharArray = RawArray('c', 4);
  const items: contract.ItemArray<'?'> = RawArray('?', [true]);
  const raw: contract.RawValueOf<'u'> = RawValue('u', 'x');
  void [value, wide, array, text, characters, items, raw];

  holds<Equal<mp.TypeCode, 'b' | 'B' | 'h' | 'H' | 'i' | 'I' | 'l' | 'L' | 'q' | 'Q' | 'f' | 'd' | 'c' | 'u' | '?'>>();
  holds<Equal<mp.Read<'l' | 'i' | '?'>, bigint | number | boolean>>();
  holds<Equal<mp.Write<'c'>, Uint8Array | number>>();
  holds<Equal<mp.RawArrayOf<'l'>, BigInt64Array<ArrayBuffer>>>();
  holds<Equal<mp.RawArrayOf<'Q'>, BigUint64Array<ArrayBuffer>>>();
  holds<Equal<mp.RawArrayOf<'u'>, mp.ItemArray<'u'>>>();
  const codes: ['?', 'c', 'u', 'l', 'd'] = [mp.c_bool, mp.c_char, mp.c_wchar, mp.c_long, mp.c_double];
  const same: typeof SharedArray = mp.Array;
  void [codes, same];
}

export function values(): void {
  const value = Value('i', 5);
  value.value += 10;
  const before: number = value.add(1);
  const big = Value('q', 0);
  big.value = 5;
  const read: bigint = big.value;
  const updated: bigint = big.update((old) => old + 1n);
  const opened = open(value.handle, Value);
  const sameValue: mp.Synchronized<'i'> = open(value.handle);
  const raw: mp.RawValueOf<'i'> = Value('i', 0, { lock: false });
  const locked: mp.Synchronized<'i'> = new Value('i', 0, { lock: new Lock() });
  // @ts-expect-error a raw value has no atomic operations
  Value('i', 0, { lock: false }).add(1);
  // @ts-expect-error no such type
  Value('x');
  // @ts-expect-error a number
  Value('i', '5');
  // @ts-expect-error a bigint is no int
  Value('i', 5n);
  // @ts-expect-error a boolean
  Value('?', 1);
  // @ts-expect-error no lock
  Value('i', 0, { lock: 'no' });
  // @ts-expect-error bigints only to those of 64 bits
  value.value = 1n;
  // @ts-expect-error a promise
  value.update(async (old) => old);
  // @ts-expect-error a promise
  value.runSync(async () => 1);
  void [before, read, updated, opened, sameValue, raw, locked];
}

export function structures(): void {
  const Point = Struct({ x: 'd', y: 'd', id: 'i', inner: Struct({ big: 'q', flag: '?' }) });
  const point = Value(Point, { x: 1, inner: { flag: true } });
  const x: number = point.value.x;
  const big: bigint = point.value.inner.big;
  point.value.inner.flag = false;
  point.value = { id: 1 };
  const points = SharedArray(Point, [{ x: 1 }]);
  const last: number | undefined = points.at(-1)?.y;
  const type: mp.StructType<{ readonly a: 'i' }> = Struct({ a: 'i' });
  // @ts-expect-error no such field
  Value(Point, { z: 1 });
  // @ts-expect-error of another type
  point.value.x = '1';
  // @ts-expect-error no such type
  Struct({ a: 'x' });
  // @ts-expect-error a name is no type
  Struct(['i']);
  void [x, big, last, type];
}

export function arrays(): void {
  const numbers: Int32Array = RawArray('i', 4);
  const back: Int32Array = open(handleOf(numbers));
  const shared = SharedArray('f', [1, 2]);
  const raw: Float32Array<ArrayBuffer> = shared.getObj();
  const without: Float32Array<ArrayBuffer> = SharedArray('f', 2, { lock: false });
  const text = mp.Array('c', 4);
  text.value = new Uint8Array(2);
  const characters: mp.CharArray = text.getObj();
  const wide: string = SharedArray('u', 'text').get(0);
  const copied: Int32Array<ArrayBuffer> = mp.copy(RawArray('i', 1));
  const withLock: mp.Synchronized<'d'> = mp.synchronized(RawValue('d'));
  const bytes: mp.SynchronizedString = mp.synchronized(RawArray('c', 2), new Lock());
  const some: mp.SynchronizedArray<'i'> = mp.synchronized(numbers);
  const any: mp.SynchronizedArray<any> = mp.synchronized(RawArray('d', 1));
  // @ts-expect-error numbers
  SharedArray('i', ['1']);
  // @ts-expect-error only arrays of characters
  SharedArray('u', 1).value;
  // @ts-expect-error a typed array's length is fixed
  shared.push(1);
  void [back, raw, without, characters, wide, copied, withLock, bytes, some, any];
}
