import { type Call, type Chunk, type Crew, type Failures, type Job, pack } from '../../pool/internal.js';

/** How the tasks of a chunk ended: values, errors by index; or why the whole call has failed. */
export type ChunkOutcome = readonly [values: ArrayLike<unknown>, failures: Failures] | { readonly failed: unknown };

/** A chunk as the client has sent it. The crew may do it in parts. */
interface Sent {
  readonly first: number;
  readonly values: unknown[];
  readonly failures: (readonly [number, unknown])[];
  left: number;
  answer(outcome: ChunkOutcome): void;
}

/**
 * A call of a client, as the crew in the server sees it: its chunks are those that the client has sent. For the connection it is
 * an iterator that gives nothing, and that is returned from when the client does not want more of it, or is gone.
 */
export class ServedCall implements Call, AsyncIterator<never> {
  readonly job: Job;
  readonly retries: number;
  over = false;
  readonly #crew: Crew;
  readonly #ended: () => void;
  readonly #chunks: Chunk[] = [];
  readonly #sent = new Set<Sent>();
  #failure: { readonly failed: unknown } | undefined;
  /** How many tasks the client knows, and how many of them are done. */
  #known = 0;
  #done = 0;

  /** @param ended called when there will be no more of it. */
  constructor(crew: Crew, job: Job, retries: number, ended: () => void) {
    this.#crew = crew;
    this.job = job;
    this.retries = retries;
    this.#ended = ended;
  }

  // So it is known for an iterator that clients may leave.
  get [Symbol.toStringTag](): string {
    return 'AsyncGenerator';
  }

  async next(): Promise<IteratorResult<never, undefined>> {
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<never, undefined>> {
    this.abandon(true);
    return { done: true, value: undefined };
  }

  /** Has tasks done. @param known how many the client knows in all. */
  add(first: number, items: ArrayLike<unknown>, known: number): Promise<ChunkOutcome> {
    return new Promise((answer) => {
      if (this.over) return answer(this.#failure ?? [[], []]);
      const values = new Array<unknown>(items.length);
      this.#sent.add({ first, values, failures: [], left: items.length, answer });
      this.#chunks.push({ call: this, first, items: Array.from(items), deaths: 0 });
      this.#known = Math.max(known, this.#known);
      this.#crew.enlist(this);
    });
  }

  get unfinished(): number {
    return Math.max(0, this.#known - this.#done);
  }

  take(): Chunk | undefined {
    return this.#chunks.shift();
  }

  settle(first: number, values: ArrayLike<unknown>, failures: Failures): void {
    const count = Math.max(values.length, failures.length);
    this.#done += count;
    for (const sent of this.#sent) {
      const at = first - sent.first;
      if (at < 0 || at >= sent.values.length) continue;
      for (let i = 0; i < values.length; i++) sent.values[at + i] = values[i];
      for (const [i, error] of failures) sent.failures.push([at + i, error]);
      sent.left -= count;
      if (sent.left > 0) return;
      this.#sent.delete(sent);
      return sent.answer([pack(sent.values), sent.failures]);
    }
  }

  fail(error: unknown): void {
    this.#failure = { failed: error };
    this.over = true;
    this.#end();
  }

  abandon(end: boolean): void {
    if (this.over) return;
    this.over = true;
    this.#known = 0;
    this.#crew.abandon(this, end);
    this.#end();
  }

  #end(): void {
    for (const { answer } of this.#sent) answer(this.#failure ?? [[], []]);
    this.#sent.clear();
    this.#chunks.length = 0;
    this.#ended();
  }
}
