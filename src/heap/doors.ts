// All stores to shared structure go through one of two doors: the journal's `write`, and these atomic helpers. Both call
// the step hook before each shared store, and after it the next one does. So a test that kills its process at step 1, 2,
// 3 … until it survives has killed it between any two stores, and nobody has to list the places.

let hook: (() => void) | undefined;

/** For tests: calls `listener` before every store to shared structure (and every atomic look at it). */
export function onStep(listener: (() => void) | undefined): void {
  hook = listener;
}

/** Costs one comparison unless a test listens. */
export function step(): void {
  if (hook !== undefined) hook();
}

export function atomicLoad(words: Int32Array, index: number): number {
  if (hook !== undefined) hook();
  return Atomics.load(words, index);
}

export function atomicStore(words: Int32Array, index: number, value: number): void {
  if (hook !== undefined) hook();
  Atomics.store(words, index, value);
}

/** Returns the value before: equal to `expected` when the exchange took place. */
export function compareExchange(words: Int32Array, index: number, expected: number, value: number): number {
  if (hook !== undefined) hook();
  return Atomics.compareExchange(words, index, expected, value);
}

export function atomicAdd(words: Int32Array, index: number, value: number): number {
  if (hook !== undefined) hook();
  return Atomics.add(words, index, value);
}

let blockHook: (() => void) | undefined;

/** For tests: calls `listener` instead of letting this thread spin or sleep. */
export function onBlock(listener: (() => void) | undefined): void {
  blockHook = listener;
}

/** Whether a test has taken over the waiting: then nobody should look in a loop for what another thread will do. */
export function waitingIsTaken(): boolean {
  return blockHook !== undefined;
}

/** Returns whether a test has taken over the waiting. */
export function blockInstead(): boolean {
  if (blockHook === undefined) return false;
  blockHook();
  return true;
}
