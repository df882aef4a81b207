import { setTimeout as delay } from 'node:timers/promises';
import { meet } from './meet.js';
import type { Connection, Dial } from './port.js';

const PAUSE_MS = 200;

type Listener = (message: Buffer | undefined) => void;

/**
 * Messages that something may have come about for those that wait. They are hints and nothing more: what has been granted
 * stands in the keys of the object. So whoever waits looks there first, after each hint, when hints may have been lost
 * because the connection was (then the message is undefined), and now and then.
 */
export class Hints {
  readonly #dial: Dial;
  readonly #listeners = new Map<string, Set<Listener>>();
  /** Channels of which messages come by the current connection. */
  #subscribed = new Set<string>();
  /** Libraries mix up what they are asked for about a channel while they do not know the answer to something before. */
  #turn: Promise<unknown> = Promise.resolve();
  #connection: Promise<Connection> | undefined;
  #current: Connection | undefined;
  #closed = false;

  constructor(dial: Dial) {
    this.#dial = dial;
  }

  /**
   * Listens to a channel. Resolves when hints arrive, or cannot for now, since there is no connection.
   *
   * @returns what ends it.
   */
  async listen(channel: string, listener: Listener): Promise<() => void> {
    const known = this.#listeners.get(channel);
    if (known !== undefined) {
      known.add(listener);
    } else {
      this.#listeners.set(channel, new Set([listener]));
    }
    try {
      const connection = await this.#connect();
      await this.#subscribe(connection, channel);
    } catch {
      void this.#again();
    }
    return () => this.#leave(channel, listener);
  }

  close(): void {
    this.#closed = true;
    this.#current?.end();
  }

  #connect(): Promise<Connection> {
    this.#connection ??= this.#open();
    return this.#connection;
  }

  async #open(): Promise<Connection> {
    try {
      const { connection } = await meet(this.#dial, false);
      if (this.#closed) connection.end();
      this.#current = connection;
      this.#subscribed = new Set();
      void connection.ended.then(() => {
        if (this.#current !== connection) return;
        this.#current = undefined;
        this.#connection = undefined;
        void this.#again();
      });
      return connection;
    } catch (error) {
      this.#connection = undefined;
      throw error;
    }
  }

  #reconnecting = false;

  /** Connects anew as soon as that is possible, and has everybody look at what may have been missed. */
  async #again(): Promise<void> {
    if (this.#reconnecting) return;
    this.#reconnecting = true;
    try {
      while (!this.#closed && this.#listeners.size > 0) {
        try {
          const connection = await this.#connect();
          for (const channel of this.#listeners.keys()) await this.#subscribe(connection, channel);
          for (const listeners of this.#listeners.values()) for (const listener of listeners) listener(undefined);
          return;
        } catch {
          await delay(PAUSE_MS, undefined, { ref: false });
        }
      }
    } finally {
      this.#reconnecting = false;
    }
  }

  #subscribe(connection: Connection, channel: string): Promise<void> {
    return this.#inTurn(async () => {
      const subscribed = this.#subscribed;
      if (connection !== this.#current || subscribed.has(channel) || !this.#listeners.has(channel)) return;
      await connection.subscribe(channel, (message) => {
        for (const listener of this.#listeners.get(channel) ?? []) listener(message);
      });
      subscribed.add(channel);
    });
  }

  /** Unless somebody listens to it again. */
  #unsubscribe(channel: string): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#listeners.has(channel) || !this.#subscribed.delete(channel)) return;
      await this.#current?.unsubscribe(channel);
    });
  }

  #inTurn(step: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(step);
    this.#turn = done.catch(() => {});
    return done;
  }

  #leave(channel: string, listener: Listener): void {
    const listeners = this.#listeners.get(channel);
    listeners?.delete(listener);
    if (listeners?.size !== 0) return;
    this.#listeners.delete(channel);
    this.#unsubscribe(channel).catch(() => {});
  }
}
