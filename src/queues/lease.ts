import { inspect } from 'node:util';

/**
 * An item that has been taken from a queue for as long as it takes to deal with it: `get({ lease: true })`.
 *
 * If its holder dies, gives it back, or loses it, the item is at the head of the queue again, for anybody to take; never
 * because the holder is slow.
 */
export interface Lease<T> {
  readonly value: T;
  /** How often the item has been handed out with a lease, this time included: 1 for the first. */
  readonly deliveries: number;
  /** The item is dealt with, and gone for good; on a JoinableQueue also done (`taskDone`). */
  ack(): void;
  /** Puts the item back before all others. */
  giveBack(): void;
  /** Gives it back, unless it has been acknowledged. */
  [Symbol.dispose](): void;
}

/** What decides on a leased item. */
export interface Settling {
  ack(): void;
  giveBack(): void;
}

/** The first decision counts, later ones do nothing. */
class Decision {
  readonly #settling: Settling;
  #made = false;

  constructor(settling: Settling) {
    this.#settling = settling;
  }

  get made(): boolean {
    return this.#made;
  }

  make(how: keyof Settling): void {
    if (this.#made) return;
    this.#made = true;
    this.#settling[how]();
  }
}

const lost = new FinalizationRegistry<Decision>((decision) => {
  try {
    decision.make('giveBack');
  } catch {
    // Declared dead, or disposed of: the item is part of the estate, or gone.
  }
});

class LeaseObject<T> implements Lease<T> {
  readonly value: T;
  readonly deliveries: number;
  readonly #decision: Decision;

  constructor(value: T, deliveries: number, settling: Settling) {
    this.value = value;
    this.deliveries = deliveries;
    this.#decision = new Decision(settling);
    lost.register(this, this.#decision, this);
  }

  ack(): void {
    this.#decide('ack');
  }

  giveBack(): void {
    this.#decide('giveBack');
  }

  [Symbol.dispose](): void {
    this.#decide('giveBack');
  }

  [inspect.custom](_: number, options: object): string {
    return `Lease { ${this.#decision.made ? 'settled' : inspect(this.value, options)} }`;
  }

  #decide(how: keyof Settling): void {
    this.#decision.make(how);
    lost.unregister(this);
  }
}

/** Makes a lease, which ends by one call of `settling`. */
export function makeLease<T>(value: T, deliveries: number, settling: Settling): Lease<T> {
  return new LeaseObject(value, deliveries, settling);
}
