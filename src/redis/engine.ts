import { setMaxListeners } from 'node:events';
import { decode, encode, type Translation } from '../codec/internal.js';
import { MultiprocessError } from '../errors/index.js';
import type { WaitOptions } from '../heap/internal.js';
import { randomHex } from '../shared-memory/internal.js';
import { Hints } from './hints.js';
import { keyOf } from './keys.js';
import { Leases } from './leases.js';
import { type Again, closedError, type Line, PATIENCE_MS } from './line.js';
import { lineTo } from './lines.js';
import type { Argument, Reply } from './port.js';
import type { Script } from './script.js';
import type { Reached } from './target.js';
import { type Awaited, type Won, waitFor } from './wait.js';

/** Which object, among all at the server. */
export interface ObjectFacts {
  readonly kind: string;
  readonly name: string;
  /** Of one that lies in another of that name: which part of it. */
  readonly part?: string | undefined;
  /** Given to it when it was made. */
  readonly id: string;
}

export type MakeProxy = (engine: Engine, facts: ObjectFacts) => object;

export interface More {
  /** How long it waits for a server that cannot be reached, in ms. */
  readonly patience?: number | undefined;
  /** Told whether it was asked for more than once. */
  readonly note?: { repeated: boolean } | undefined;
}

export interface EngineOptions {
  readonly prefix: string;
  /** How long leases last, in ms. */
  readonly lease: number;
}

/** By what others reach the same objects. */
export interface Whereabouts extends EngineOptions {
  /** Without what is secret; of a cluster a list. */
  readonly url: string | readonly string[];
}

interface Named {
  readonly engine: Engine;
  readonly text: string;
}

const named = new WeakMap<object, Named>();

/** What everything of one `connect()` shares: connections, leases, and the one wrapper of each object. */
export class Engine implements Translation {
  /** Who this is at the server. */
  readonly client = randomHex(16);
  readonly address: string;
  readonly leases: Leases;
  /** Never rejects. */
  readonly closed: Promise<void>;
  readonly #prefix: string;
  readonly #url: string | readonly string[] | undefined;
  readonly #line: Line;
  #opened: Promise<void> | undefined;
  readonly #hints: Hints;
  readonly #makeProxy: MakeProxy;
  readonly #proxies = new Map<string, WeakRef<object>>();
  readonly #dropped: FinalizationRegistry<string>;
  readonly #held = new Set<() => Promise<unknown>>();
  readonly #waits = new Set<Promise<unknown>>();
  /** No promise: one that lives as long as the connection would keep something of everybody who has ever waited. */
  readonly #closing = new AbortController();
  #finish!: () => void;
  #ending: Promise<void> | undefined;
  #last = 0;

  /** It connects when something is asked for. */
  constructor(reached: Reached, { prefix, lease }: EngineOptions, makeProxy: MakeProxy) {
    this.address = reached.address;
    this.#url = reached.url;
    this.#prefix = prefix;
    this.#makeProxy = makeProxy;
    // However many wait: each listens to it.
    setMaxListeners(0, this.#closing.signal);
    this.#line = lineTo(reached);
    this.#hints = new Hints(() => this.#line.dialAny());
    this.leases = new Leases({ target: reached.target, address: reached.address, lease });
    this.closed = new Promise((resolve) => {
      this.#finish = resolve;
    });
    this.#dropped = new FinalizationRegistry((text) => {
      if (this.#proxies.get(text)?.deref() === undefined) this.#proxies.delete(text);
    });
  }

  /** @throws (rejects) when the server cannot be reached, does not let this client in, or is none that can be used. */
  static async open(reached: Reached, options: EngineOptions, makeProxy: MakeProxy): Promise<Engine> {
    const engine = new Engine(reached, options, makeProxy);
    try {
      await engine.#open();
    } catch (error) {
      engine.#line.close();
      throw error;
    }
    return engine;
  }

  #open(): Promise<void> {
    this.#opened ??= this.#line.open().catch((error) => {
      this.#opened = undefined;
      throw error;
    });
    return this.#opened;
  }

  /** By what others reach the same objects; undefined when that cannot be said. */
  get whereabouts(): Whereabouts | undefined {
    return this.#url === undefined ? undefined : { url: this.#url, prefix: this.#prefix, lease: this.leases.lease };
  }

  get isOpen(): boolean {
    return this.#ending === undefined;
  }

  /** The channel of hints for members of all clients, without the client. */
  get wakes(): string {
    return `${this.#prefix}wake:`;
  }

  key(name: string, part?: string): string {
    return keyOf(this.#prefix, name, part);
  }

  /** A name for something that is taken, or waits: one that nobody has had. */
  newMember(): string {
    return `${this.client}.${this.nextNumber()}`;
  }

  /** The channel of hints for members of this client. */
  get hints(): string {
    return `${this.wakes}${this.client}`;
  }

  /** A number for a step, larger than all before. */
  nextNumber(): number {
    this.#last += 1;
    return this.#last;
  }

  /** Runs a script on an object. @throws (rejects) as `Line.run`. */
  run(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    again: Again = 'repeatable',
    more: More = {},
  ): Promise<Reply> {
    if (!this.isOpen) return Promise.reject(closedError());
    return this.runClosing(script, keys, args, again, more);
  }

  /** The same, while the connection is being closed too. */
  async runClosing(
    script: Script,
    keys: readonly string[],
    args: readonly Argument[],
    again: Again = 'repeatable',
    { patience = PATIENCE_MS, note }: More = {},
  ): Promise<Reply> {
    await this.#open();
    return this.#line.run({ script, keys, args, again, patience }, note);
  }

  /** Waits for something at the server. @throws (rejects) `signal.reason`; ManagerClosedError; what looking throws. */
  async wait<T>(awaited: Awaited<T>, options: WaitOptions | undefined): Promise<Won<T> | undefined> {
    if (!this.isOpen) throw closedError();
    const wait = waitFor(this.#hints, this.#closing.signal, awaited, options);
    this.#waits.add(wait);
    try {
      return await wait;
    } finally {
      this.#waits.delete(wait);
    }
  }

  /** Hears what is said on a channel, and `undefined` when something may have been missed. @returns what ends it. */
  listen(channel: string, listener: (message: Buffer | undefined) => void): Promise<() => void> {
    return this.#hints.listen(channel, listener);
  }

  /** Gives something back when the connection is closed. @returns what takes that back. */
  onClose(giveBack: () => Promise<unknown>): () => void {
    this.#held.add(giveBack);
    return () => this.#held.delete(giveBack);
  }

  /** Ends it: who waits is rejected, what is held is given back. Idempotent. */
  close(): Promise<void> {
    this.#ending ??= this.#end();
    return this.#ending;
  }

  async #end(): Promise<void> {
    this.#closing.abort(closedError());
    await Promise.allSettled(this.#waits);
    await Promise.allSettled([...this.#held].map((giveBack) => giveBack()));
    await this.leases.close();
    this.#hints.close();
    this.#line.close();
    this.#finish();
  }

  /** The bytes of a value. @throws NotShareableError for what cannot travel. */
  encode(value: unknown, label?: string): Buffer {
    return encode(value, label, this).bytes;
  }

  decode(bytes: Reply | undefined): any {
    return decode(bytes as Buffer, this);
  }

  /** The one wrapper of an object. */
  proxy({ kind, name, id, part }: ObjectFacts): object {
    return this.named(JSON.stringify(part === undefined ? [kind, name, id] : [kind, name, id, part]));
  }

  nameOf(shared: object): string | undefined {
    const known = named.get(shared);
    return known?.engine === this ? known.text : undefined;
  }

  named(text: string): object {
    const known = this.#proxies.get(text)?.deref();
    if (known !== undefined) return known;
    const found: unknown = JSON.parse(text);
    const isName =
      Array.isArray(found) &&
      (found.length === 3 || found.length === 4) &&
      found.every((each) => typeof each === 'string');
    if (!isName) {
      throw new MultiprocessError('A value at the server names an object in a way that is not known here.');
    }
    const [kind, name, id, part] = found as [string, string, string, string?];
    const made = this.#makeProxy(this, { kind, name, id, part });
    named.set(made, { engine: this, text });
    this.#proxies.set(text, new WeakRef(made));
    this.#dropped.register(made, text);
    return made;
  }
}
