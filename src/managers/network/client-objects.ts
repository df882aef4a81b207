import { open } from '../../codec/index.js';
import { sharedKindOf, type Translation } from '../../codec/internal.js';
import { StaleHandleError } from '../../errors/index.js';
import { Deputy, type Place } from '../../heap/internal.js';
import { readRemote } from '../remote.js';
import { type CommonObjects, close, openFor, type Use } from './common-objects.js';
import { remoteMethods } from './methods.js';
import type { ObjectName } from './wire.js';

/** Kinds of which it matters who does something: a remote client does it in its own name. */
const OWNED = new Set(['lock', 'rlock', 'boundedsemaphore', 'condition', 'barrier', 'queue', 'joinablequeue']);
/** Kinds of which it does not. */
const COMMON = new Set(['dict', 'sharedlist', 'namespace', 'semaphore', 'event']);

/** Whether remote clients have wrappers apart from the server's own of objects of that kind. */
export function isOurs(kind: string | undefined): boolean {
  return kind !== undefined && (OWNED.has(kind) || COMMON.has(kind));
}

/** An object that a remote client knows. */
export interface KnownObject {
  readonly number: number;
  readonly kind: string;
  readonly handle: string;
  /** What its methods are called on. */
  readonly target: object;
  /** Of an object of a registered type, what may be called. */
  readonly exposed: readonly string[];
}

interface Entry extends KnownObject {
  /** How often the client has been told of it. */
  told: number;
  letGo(): void;
}

/** The objects that a remote client has been told of, by number, held for as long as it has them. */
export class ClientObjects implements Translation {
  readonly #byNumber = new Map<number, Entry>();
  readonly #byHandle = new Map<string, Entry>();
  readonly #deputy = new Deputy();
  readonly #common: CommonObjects;
  #last = 0;

  /** For what runs in the server itself: there, objects arrive as its own. */
  readonly own: Translation = {
    nameOf: (shared) => this.nameOf(shared),
    named: (name) => open(this.find(Number(name)).handle) as object,
  };

  constructor(common: CommonObjects) {
    this.#common = common;
  }

  /** @throws StaleHandleError for a number of none. */
  find(number: unknown): KnownObject {
    const known = this.#byNumber.get(number as number);
    if (known === undefined) throw new StaleHandleError('The client has no such object of this manager.');
    return known;
  }

  nameOf(shared: object): string | undefined {
    const found = sharedKindOf(shared);
    if (found === undefined || (found.kind !== 'remote' && remoteMethods[found.kind] === undefined)) return undefined;
    const handle = found.handle(shared);
    const known = this.#byHandle.get(handle) ?? this.#enter(found.kind, handle, shared, found.places?.(shared) ?? []);
    known.told += 1;
    const { number, kind } = known;
    if (kind !== 'remote') return JSON.stringify([number, kind] satisfies ObjectName);
    const { typeid, methods, generators } = readRemote(handle);
    return JSON.stringify([number, kind, typeid, methods, generators] satisfies ObjectName);
  }

  named(name: string): object {
    return this.find(Number(name)).target;
  }

  /** The client does not have it any more, unless it has been told again meanwhile. */
  drop(number: number, received: number): void {
    const known = this.#byNumber.get(number);
    if (known === undefined) return;
    known.told -= received;
    if (known.told > 0) return;
    this.#byNumber.delete(number);
    this.#byHandle.delete(known.handle);
    known.letGo();
  }

  /** @param died whether the client is gone without a word: then the next to have its locks hear of it. */
  end(died: boolean): void {
    for (const known of this.#byNumber.values()) known.letGo();
    this.#byNumber.clear();
    this.#byHandle.clear();
    this.#deputy.end(died);
  }

  #enter(kind: string, handle: string, shared: object, places: readonly Place[]): Entry {
    const { object: target, letGo } = this.#use(kind, handle, shared, places);
    const exposed = kind === 'remote' ? readRemote(handle).methods : [];
    this.#last += 1;
    const known = { number: this.#last, kind, handle, target, exposed, told: 0, letGo };
    this.#byNumber.set(known.number, known);
    this.#byHandle.set(handle, known);
    return known;
  }

  #use(kind: string, handle: string, shared: object, places: readonly Place[]): Use {
    if (COMMON.has(kind)) return this.#common.use(handle);
    if (OWNED.has(kind)) {
      const object = openFor(this.#deputy, handle);
      // Held for as long as the deputy has something of it.
      return { object, letGo: () => close(object) };
    }
    // An object of a registered type does not hold itself; a value's wrapper is what holds it.
    return { object: shared, letGo: kind === 'remote' ? hold(places) : () => {} };
  }
}

/** @returns what lets go. */
function hold(places: readonly Place[]): () => void {
  for (const { heap, at } of places) heap.open(at);
  return () => {
    for (const { heap, at } of places) {
      try {
        heap.release(at.address);
      } catch {
        // declared dead: its reaper gives the hold back
      }
    }
  };
}
