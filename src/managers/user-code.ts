/** What user code has thrown, as opposed to what stands in the way of calling it. */
export class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/** @param except errors of ours that may come before user code is reached. */
export async function userCode<T>(
  run: () => T,
  except?: abstract new (...args: never[]) => Error,
): Promise<Awaited<T>> {
  try {
    return await run();
  } catch (error) {
    if (except !== undefined && error instanceof except) throw error;
    throw new Thrown(error);
  }
}

/** What is fetched by a client piece by piece. */
export type Stream = AsyncIterator<unknown> | Iterator<unknown>;

const GENERATORS = new Set(['[object Generator]', '[object AsyncGenerator]']);

export function isStream(value: unknown): value is Stream {
  return GENERATORS.has(Object.prototype.toString.call(value));
}

/** The streams that a client has begun and not yet taken to their ends. */
export class Streams {
  readonly #open = new Map<number, Stream>();

  add(number: number, stream: Stream): void {
    this.#open.set(number, stream);
  }

  async next(number: number): Promise<[done: boolean, value: unknown]> {
    const stream = this.#open.get(number);
    if (stream === undefined) return [true, undefined];
    try {
      const { done = false, value } = await userCode(() => stream.next());
      if (done) this.#open.delete(number);
      return [done, value];
    } catch (error) {
      this.#open.delete(number);
      throw error;
    }
  }

  async leave(number: number): Promise<void> {
    const stream = this.#open.get(number);
    this.#open.delete(number);
    await userCode(() => stream?.return?.(undefined));
  }

  /** Nobody takes anything any more. */
  end(): void {
    for (const stream of this.#open.values()) void userCode(() => stream.return?.(undefined)).catch(() => {});
    this.#open.clear();
  }
}
