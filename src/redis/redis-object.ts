import { inspect } from 'node:util';
import { StaleHandleError } from '../errors/index.js';
import { markUncloneable, refuseJson } from '../shared-memory/internal.js';
import type { Engine, More, ObjectFacts } from './engine.js';
import { type Again, closedError } from './line.js';
import type { Argument, Reply } from './port.js';
import type { Script } from './script.js';

/** Of a step that must not run twice. */
export interface MoreOnce extends More {
  /** What becomes of it when there is another server instead of the one that was asked. Default: `once`. */
  readonly again?: Again;
}

/** Not for users: an object at a server. */
export abstract class RedisObject {
  readonly #engine: Engine;
  readonly #facts: ObjectFacts;
  /** Steps of which the answers have arrived: the server need not remember them any more. */
  #answered: number[] = [];

  constructor(engine: Engine, facts: ObjectFacts) {
    this.#engine = engine;
    this.#facts = facts;
    markUncloneable(this);
  }

  static engineOf(object: RedisObject): Engine {
    return object.#engine;
  }

  protected get engine(): Engine {
    return this.#engine;
  }

  /** The parts of it besides what says that it is there, in the order in which its scripts take them. */
  protected abstract readonly parts: readonly string[];
  protected abstract readonly disposing: { readonly script: Script; readonly args: readonly Argument[] };

  protected get kind(): string {
    return this.#facts.kind;
  }

  protected key(part: string): string {
    const { name, part: within } = this.#facts;
    return this.#engine.key(name, within === undefined ? part : `${within}:${part}`);
  }

  protected get allKeys(): string[] {
    const { name, part } = this.#facts;
    return [this.#engine.key(name, part), ...this.parts.map((each) => this.key(each))];
  }

  /** The object that lies in this one, and was made with it. */
  protected objectWithin(kind: string, part: string): object {
    const { name, id } = this.#facts;
    return this.#engine.proxy({ kind, name, part, id });
  }

  /** Runs a script that may run again: its ARGV[1] is the object's id. */
  protected step(script: Script, args: readonly Argument[] = [], patience?: number): Promise<Reply> {
    return this.#engine.run(script, this.allKeys, [this.#facts.id, ...args], 'repeatable', { patience });
  }

  /** The same, while the connection is being closed too. */
  protected lastStep(script: Script, args: readonly Argument[], more: More = {}): Promise<Reply> {
    return this.#engine.runClosing(script, this.allKeys, [this.#facts.id, ...args], 'repeatable', more);
  }

  /** The same, for when nobody has this wrapper any more. */
  protected laterStep(script: Script, args: readonly Argument[], more: More = {}): () => Promise<Reply> {
    const engine = this.#engine;
    const keys = this.allKeys;
    const { id } = this.#facts;
    return () => engine.runClosing(script, keys, [id, ...args], 'repeatable', more);
  }

  /**
   * Runs a script that must not run twice: its KEYS[2] remembers the answers, and ARGV[2] and ARGV[3] are which step it is and
   * which ones have been answered.
   */
  protected stepOnce(script: Script, args: readonly Argument[] = [], more: MoreOnce = {}): Promise<Reply> {
    if (!this.#engine.isOpen) return Promise.reject(closedError());
    return this.lastStepOnce(script, args, more);
  }

  /** The same, while the connection is being closed too. */
  protected async lastStepOnce(script: Script, args: readonly Argument[] = [], more: MoreOnce = {}): Promise<Reply> {
    const [meta, ...parts] = this.allKeys;
    const keys = [meta!, this.key(`once:${this.#engine.client}`), ...parts];
    const number = this.#engine.nextNumber();
    const answered = this.#answered;
    this.#answered = [];
    const all = [this.#facts.id, number, answered.join(' '), ...args];
    const reply = await this.#engine.runClosing(script, keys, all, more.again ?? 'once', more);
    this.#answered.push(number);
    return reply;
  }

  /** Ends it for all. @throws (rejects) StaleHandleError when somebody has already. */
  async dispose(): Promise<void> {
    const { script, args } = this.disposing;
    const note = { repeated: false };
    try {
      await this.#engine.run(script, this.allKeys, [this.#facts.id, ...args], 'repeatable', { note });
    } catch (error) {
      if (!note.repeated || !(error instanceof StaleHandleError)) throw error;
    }
  }

  /** @throws TypeError: it is no data. */
  toJSON(): never {
    return refuseJson(this.constructor.name);
  }

  [inspect.custom](): string {
    return `${this.constructor.name} { ${this.#engine.address} }`;
  }
}
