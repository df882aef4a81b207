// Whether a recorded history of a queue whose values are all different can have come about one operation after the other.
// Histories of thousands of operations are too long for a search; but Henzinger, Sezgin and Vafeiadis ("Aspect-oriented
// linearizability proofs", 2013) have shown that one of few patterns is in each that cannot, and those are found by sorting.
import type { Call } from './linearizability.js';
import { line } from './models.js';

/** The life of a value in the queue: when it was put and taken, each from its call to its return. */
interface Life {
  readonly value: number;
  readonly put: Call;
  readonly taken: Call;
}

/** The most operations that never returned: all ways in which they can have ended are tried. */
const MOST_PENDING = 6;

/**
 * @param calls `line.append` and `line.takeFirst`; of an empty queue 0 is taken.
 * @returns what cannot be; undefined when all can.
 */
export function checkQueue(calls: readonly Call[]): string | undefined {
  const puts = new Map<number, Call>();
  const takes = new Map<number, Call>();
  const empties: Call[] = [];
  const pending: Call[] = [];
  for (const call of calls) {
    if (call.operation === line.append) puts.set(call.argument, call);
    else if (Number.isNaN(call.result)) pending.push(call);
    else if (call.result === 0) empties.push(call);
    else if (takes.has(call.result)) return `${call.result} was taken twice`;
    else takes.set(call.result, call);
  }
  for (const [value, taken] of takes) {
    const put = puts.get(value);
    if (put === undefined) return `${value} was taken, and never put`;
    if (taken.end < put.start) return `${value} was taken before it was put`;
  }
  // What was not taken by one that returned. A put that never returned is left out: if it has happened, and its value was
  // taken by one that never returned, then all the others can be explained without the two.
  const left = [...puts].filter(([value, { end }]) => !takes.has(value) && end !== Number.POSITIVE_INFINITY);
  if (pending.length > MOST_PENDING) throw new Error(`${pending.length} takes never returned.`);
  const sure = [...takes].map(([value, taken]) => ({ value, put: puts.get(value)!, taken }));
  return tryAll(sure, left, pending, empties);
}

/** Each take that never returned has taken one of those that are left, or nothing. */
function tryAll(
  lives: readonly Life[],
  left: readonly (readonly [number, Call])[],
  pending: readonly Call[],
  empties: readonly Call[],
): string | undefined {
  const [taken, ...others] = pending;
  const never: Life[] = left.map(([value, put]) => ({ value, put, taken: NEVER }));
  const wrong = disorder([...lives, ...never]) ?? notEmpty([...lives, ...never], empties);
  if (wrong === undefined || taken === undefined) return wrong;
  if (tryAll(lives, left, others, empties) === undefined) return undefined;
  for (const one of left) {
    const life = { value: one[0], put: one[1], taken };
    const rest = left.filter((other) => other !== one);
    if (tryAll([...lives, life], rest, others, empties) === undefined) return undefined;
  }
  return wrong;
}

const NEVER: Call = {
  process: -1,
  start: Number.POSITIVE_INFINITY,
  end: Number.POSITIVE_INFINITY,
  operation: line.takeFirst,
  key: 0,
  argument: 0,
  result: 0,
};

/** One was put after another, and taken before it. */
function disorder(lives: readonly Life[]): string | undefined {
  const byStart = [...lives].sort((a, b) => a.put.start - b.put.start);
  const byEnd = [...lives].sort((a, b) => a.put.end - b.put.end);
  let latest: Life | undefined;
  let before = 0;
  for (const life of byStart) {
    for (; before < byEnd.length && byEnd[before]!.put.end < life.put.start; before++) {
      const one = byEnd[before]!;
      if (latest === undefined || one.taken.start > latest.taken.start) latest = one;
    }
    if (latest !== undefined && life.taken.end < latest.taken.start) {
      return `${life.value} was put after ${latest.value}, and taken before it`;
    }
  }
  return undefined;
}

/** Nothing was found while one value or another was in the queue all the time. */
function notEmpty(lives: readonly Life[], empties: readonly Call[]): string | undefined {
  const byEnd = [...lives].sort((a, b) => a.put.end - b.put.end);
  for (const empty of empties) {
    // Up to when there surely was one, from its start on without a gap.
    let until = empty.start;
    for (const { put, taken } of byEnd) {
      if (put.end >= until) break;
      until = Math.max(until, taken.start);
      if (until > empty.end) return `the queue was found empty at ${empty.start}, and was not`;
    }
  }
  return undefined;
}
