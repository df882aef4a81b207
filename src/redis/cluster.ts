import { setTimeout as delay } from 'node:timers/promises';
import { MultiprocessError } from '../errors/index.js';
import { now } from '../heap/internal.js';
import { hostText } from './address.js';
import {
  type Call,
  closedError,
  isUncertain,
  type Line,
  PATIENCE_MS,
  type Progress,
  ServerLine,
  Unreached,
  uncertain,
} from './line.js';
import { type Connection, type Node, type Reply, ReplyError } from './port.js';
import { errorOfReply } from './server-errors.js';
import { slotOf } from './slot.js';
import type { Reached } from './target.js';

/** How long a server is waited for before it is asked whether another one has taken its place, in ms. */
const SLICE_MS = 1000;
const PAUSE_MS = 100;
/** So often a call is sent on without a pause. */
const MOST_HOPS = 5;

/** Answers that say that it has not been done, and may be in a while. */
const LATER = new Set(['TRYAGAIN', 'CLUSTERDOWN', 'MASTERDOWN', 'LOADING']);

interface Range {
  readonly first: number;
  readonly last: number;
  readonly owner: Node;
}

interface Hop {
  readonly node: Node;
  /** Whether it is just taking over what is asked for. */
  readonly asking: boolean;
}

/**
 * Connections to the servers of a cluster, each made when something is asked for that is there. Libraries find the right server,
 * too, but on the way they send again what may have been done; here it is known which steps may be repeated, and where.
 */
export class ClusterLine implements Line {
  readonly #reached: Reached;
  readonly #lines = new Map<string, ServerLine>();
  #ranges: readonly Range[] = [];
  #refreshing: Promise<void> | undefined;
  #failure: unknown;
  #closed = false;

  constructor(reached: Reached) {
    this.#reached = reached;
  }

  async open(): Promise<void> {
    let failure: unknown;
    for (const seed of this.#reached.seeds!) {
      try {
        const line = this.#lineTo(seed);
        await line.open();
        await this.#readRanges(line, seed);
        return;
      } catch (error) {
        failure = error;
      }
    }
    throw failure instanceof ReplyError ? errorOfReply(failure) : failure;
  }

  async run(call: Call, note?: { repeated: boolean }): Promise<Reply> {
    const progress: Progress = { sentTo: undefined, repeated: false };
    try {
      return await this.#run(call, progress, now() + (call.patience ?? PATIENCE_MS));
    } finally {
      if (progress.repeated && note !== undefined) note.repeated = true;
    }
  }

  async #run(call: Call, progress: Progress, deadline: number): Promise<Reply> {
    const slot = slotOf(call.keys[0]!);
    let hop: Hop | undefined;
    for (let hops = 0; ; hops++) {
      if (this.#closed) throw closedError();
      const node: Node | undefined = hop?.node ?? this.#ownerOf(slot);
      const asking = hop?.asking ?? false;
      hop = undefined;
      let refusal: ReplyError | undefined;
      if (node !== undefined) {
        const line = this.#lineTo(node);
        try {
          return await line.attempt(call, progress, Math.min(deadline, now() + SLICE_MS), asking);
        } catch (error) {
          if (error instanceof ReplyError) {
            hop = this.#hopOf(error, node);
            if (hop === undefined && !LATER.has(error.word)) throw errorOfReply(error);
            refusal = error;
          } else if (!(error instanceof Unreached)) throw error;
          else this.#failure = line.failure;
        }
      }
      if (hop !== undefined && hops < MOST_HOPS) {
        if (!hop.asking) void this.#refresh(hop.node);
        continue;
      }
      if (now() >= deadline) {
        if (refusal !== undefined) throw errorOfReply(refusal);
        throw isUncertain(call, progress) ? uncertain() : (this.#failure ?? unknownOwner());
      }
      await this.#refresh();
      await delay(PAUSE_MS);
    }
  }

  /** A connection to any of the servers, for what all of them know. */
  async dialAny(): Promise<Connection> {
    let failure: unknown = closedError();
    for (const node of shuffled(this.#nodes())) {
      try {
        return await this.#reached.dial(node);
      } catch (error) {
        failure = error;
      }
    }
    throw failure;
  }

  close(): void {
    this.#closed = true;
    for (const line of this.#lines.values()) line.close();
  }

  #ownerOf(slot: number): Node | undefined {
    return this.#ranges.find(({ first, last }) => first <= slot && slot <= last)?.owner;
  }

  #nodes(): Node[] {
    const all = [...this.#ranges.map(({ owner }) => owner), ...this.#reached.seeds!];
    return [...new Map(all.map((node) => [addressOf(node), node])).values()];
  }

  #lineTo(node: Node): ServerLine {
    const address = addressOf(node);
    let line = this.#lines.get(address);
    if (line === undefined) {
      line = new ServerLine(() => this.#reached.dial(node), `redis://${address}`, true);
      this.#lines.set(address, line);
    }
    return line;
  }

  /** Where an answer says that it is instead: `MOVED slot host:port`, `ASK slot host:port`. */
  #hopOf({ word, message }: ReplyError, from: Node): Hop | undefined {
    if (word !== 'MOVED' && word !== 'ASK') return undefined;
    const [, host = '', port = ''] = /^\w+ \d+ (.*):(\d+)$/.exec(message) ?? [];
    return { node: this.#mapped(host, Number(port), from), asking: word === 'ASK' };
  }

  /** Asks anew which server has what. What it does not find out is asked again. */
  #refresh(...first: Node[]): Promise<void> {
    this.#refreshing ??= this.#readAny(first).finally(() => {
      this.#refreshing = undefined;
    });
    return this.#refreshing;
  }

  async #readAny(first: readonly Node[]): Promise<void> {
    for (const node of [...first, ...shuffled(this.#nodes())]) {
      if (this.#closed) return;
      try {
        return await this.#readRanges(this.#lineTo(node), node);
      } catch (error) {
        this.#failure = error instanceof ReplyError ? errorOfReply(error) : this.#lineTo(node).failure;
      }
    }
  }

  async #readRanges(line: ServerLine, from: Node): Promise<void> {
    const reply = (await line.command(['CLUSTER', 'SLOTS'], now() + SLICE_MS)) as SlotsReply;
    this.#ranges = reply.map(([first, last, [host, port]]) => {
      return { first, last, owner: this.#mapped(host === null ? '' : String(host), port, from) };
    });
  }

  /** An empty host is that of the server which says so. */
  #mapped(host: string, port: number, from: Node): Node {
    if (host === '' || host === '?') return { host: from.host, port };
    const node = { host, port };
    return this.#reached.map?.(node) ?? node;
  }
}

type SlotsReply = readonly (readonly [first: number, last: number, primary: readonly [Buffer | null, number]])[];

function addressOf({ host, port }: Node): string {
  return `${hostText(host)}:${port}`;
}

function shuffled<T>(items: readonly T[]): T[] {
  const start = Math.floor(Math.random() * items.length);
  return [...items.slice(start), ...items.slice(0, start)];
}

function unknownOwner(): MultiprocessError {
  return new MultiprocessError('No server of the cluster is known to have this object: is the cluster complete?', {
    code: 'ERR_MULTIPROCESS_ENGINE',
  });
}
