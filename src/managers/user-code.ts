/** What user code has thrown, as opposed to what stands in the way of calling it. */
export class Thrown {
  readonly error: unknown;

  constructor(error: unknown) {
    this.error = error;
  }
}

/**
 * Runs user code.
 *
 * @param except errors of ours that may come before user code is reached.
 * @returns what it returns: a promise only if that is one, so that what is there at once is answered at once.
 * @throws Thrown, or rejects with it.
 */
export function userCode<T>(
  run: () => T,
  except?: abstract new (...args: never[]) => Error,
): Awaited<T> | Promise<Awaited<T>> {
  const thrown = (error: unknown) =>
    except !== undefined && error instanceof except ? (error as Error) : new Thrown(error);
  let value: T;
  try {
    value = run();
    if (!isThenable(value)) return value as Awaited<T>;
  } catch (error) {
    throw thrown(error);
  }
  return Promise.resolve(value).catch((error: unknown) => {
    throw thrown(error);
  });
}

/** Whether it has to be waited for. */
export function isThenable<T>(value: T): value is T & PromiseLike<unknown> {
  if ((typeof value !== 'object' && typeof value !== 'function') || value === null) return false;
  return typeof (value as { then?: unknown }).then === 'function';
}

/** What is fetched by a client piece by piece. */
export type Stream = AsyncIterator<unknown> | Iterator<unknown>;

const GENERATORS = new Set(['[object Generator]', '[object AsyncGenerator]']);

export function isStream(value: unknown): value is Stream {
  return typeof value === 'object' && GENERATORS.has(Object.prototype.toString.call(value));
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
    for (const number of [...this.#open.keys()]) this.leave(number).catch(() => {});
    this.#open.clear();
  }
}
