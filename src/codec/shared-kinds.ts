import { ValueError } from '../errors/index.js';
import type { Place } from '../heap/internal.js';
import type { BlockFacts } from '../shared-memory/internal.js';

type Class = abstract new (...args: never[]) => object;

/** A kind of shared object: what the codec must know to send it by reference. */
export interface SharedKind<T extends object = object> {
  /** Its name in handles: `mp:<kind>:…`. */
  readonly kind: string;
  readonly type: abstract new (...args: never[]) => T;
  /** The module that a child process must import to open it, where its bootstrap does not know of it. */
  readonly module?: string;
  /** The object's handle. */
  handle(value: T): string;
  /** Opens what the part of a handle behind the kind addresses. */
  open(fields: string): T;
  /** The block whose memory has to stay until the object has arrived. */
  block?(value: T): BlockFacts;
  /** The places in heaps that have to be held until the object has arrived. */
  places?(value: T): readonly Place[];
}

const byPrototype = new Map<object, SharedKind>();
const byName = new Map<string, SharedKind>();

export function registerSharedKind<T extends object>(kind: SharedKind<T>): void {
  byPrototype.set(kind.type.prototype as object, kind as unknown as SharedKind);
  byName.set(kind.kind, kind as unknown as SharedKind);
}

/** The kind of a shared object, of subclasses too; `undefined` for anything else. */
export function sharedKindOf(value: object): SharedKind | undefined {
  for (let prototype = Object.getPrototypeOf(value); prototype; prototype = Object.getPrototypeOf(prototype)) {
    const kind = byPrototype.get(prototype);
    if (kind !== undefined) return kind;
  }
  return undefined;
}

/** Splits a handle. @throws ValueError when it is none. */
export function parseHandle(handle: string): { kind: SharedKind; fields: string } {
  const [, name, fields] = /^mp:([a-z]+):(.*)$/s.exec(handle) ?? [];
  const kind = name === undefined ? undefined : byName.get(name);
  if (kind === undefined || fields === undefined) {
    throw new ValueError(`This is not a handle of a shared object: '${String(handle).slice(0, 80)}'.`);
  }
  return { kind, fields };
}

export type { Class };
