// Tasks for pools whose workers are killed at random.

/** Counts that it has been begun, and works for a while. */
export async function work(begun: Int32Array, index: number, ms: number): Promise<number> {
  Atomics.add(begun, index, 1);
  const until = performance.now() + ms;
  while (performance.now() < until) if (index % 3 === 0) await new Promise(setImmediate);
  return index;
}
