// How the controller and its threads take turns: one of them runs, the others sleep. Words in shared memory, so that neither
// side needs its event loop.

export const MAX_THREADS = 3;

/** Words that all share. */
export const shared = { clock: 0, actors: 16 } as const;

/** Words of one actor: 0 is the controller, then the threads. */
export const actor = {
  /** 1 when it is this actor's turn. */
  turn: 0,
  /** What the controller wants: one of `command`. */
  command: 1,
  /** What the thread answers: one of `state`. */
  state: 2,
  /** Steps that the thread has begun. */
  steps: 3,
  /** How many it may begin. */
  limit: 4,
  /** At which it dies; 0 for none. */
  kill: 5,
  /** Bytes of text, from the controller or from the thread. */
  text: 6,
  words: 16,
} as const;

export const command = { arm: 1, act: 2, goOn: 3, giveUp: 4, leave: 5, collect: 6 } as const;
export const state = { ready: 1, paused: 2, blocked: 3, done: 4, dead: 5, failed: 6, gone: 7 } as const;

const TEXT_BYTES = 8192;

export interface Board {
  readonly words: Int32Array;
  readonly texts: readonly Buffer[];
}

export function makeBoard(memory: SharedArrayBuffer): Board {
  const words = new Int32Array(memory, 0, shared.actors + (MAX_THREADS + 1) * actor.words);
  const texts = Array.from({ length: MAX_THREADS + 1 }, (_, i) =>
    Buffer.from(memory, words.byteLength + i * TEXT_BYTES, TEXT_BYTES),
  );
  return { words, texts };
}

export const boardBytes = (shared.actors + (MAX_THREADS + 1) * actor.words) * 4 + (MAX_THREADS + 1) * TEXT_BYTES;

export function wordOf(who: number, word: number): number {
  return shared.actors + who * actor.words + word;
}

export function passTurn({ words }: Board, to: number): void {
  Atomics.store(words, wordOf(to, actor.turn), 1);
  Atomics.notify(words, wordOf(to, actor.turn));
}

/** @returns false when nobody has passed the turn in time. */
export function awaitTurn({ words }: Board, who: number, timeout = Number.POSITIVE_INFINITY): boolean {
  const at = wordOf(who, actor.turn);
  while (Atomics.load(words, at) === 0) if (Atomics.wait(words, at, 0, timeout) === 'timed-out') return false;
  Atomics.store(words, at, 0);
  return true;
}

export function putText({ words, texts }: Board, who: number, value: unknown): void {
  const text = JSON.stringify(value);
  Atomics.store(words, wordOf(who, actor.text), texts[who]!.write(text));
}

export function getText({ words, texts }: Board, who: number): unknown {
  return JSON.parse(texts[who]!.toString('utf8', 0, Atomics.load(words, wordOf(who, actor.text))));
}
