// Whether a recorded history of concurrent operations can have come about with each of them taking effect at one instant
// between its call and its return: the search of Wing and Gong, with Lowe's memory of what has been tried. An operation that
// never returned, because its process was killed, may have taken effect or not.

/** One operation of one process, as numbers. Times in ms of a clock that all processes share. */
export interface Call {
  readonly process: number;
  readonly start: number;
  /** Infinity when it never returned. */
  readonly end: number;
  readonly operation: number;
  readonly key: number;
  readonly argument: number;
  /** NaN when it never returned. */
  readonly result: number;
}

/** What the operations do, one after the other. States are values: `step` gives a new one. */
export interface Model<State> {
  readonly initial: State;
  /**
   * The state after that call. Undefined when it cannot have had that result in this state; of a call that never returned,
   * any result is possible.
   */
  step(state: State, call: Call): State | undefined;
  /** Equal for equal states. */
  describe(state: State): string;
}

interface Entry {
  readonly call: Call;
  readonly index: number;
  /** The entry of the same call's return; undefined for a return. */
  readonly back: Entry | undefined;
  next: Entry | undefined;
  previous: Entry | undefined;
}

/** A call that no order can explain, with how far the search has come; undefined when there is an order. */
export interface Unexplained {
  /** As many calls as could be put in order. */
  readonly explained: number;
  readonly of: number;
  /** The calls that were open where the search was stuck the furthest. */
  readonly stuck: readonly Call[];
}

export function checkLinearizable<State>(calls: readonly Call[], model: Model<State>): Unexplained | undefined {
  const head = eventsOf(calls);
  const returned = calls.filter(({ end }) => end !== Number.POSITIVE_INFINITY).length;
  const tried = new Set<string>();
  const done = new Uint8Array(calls.length);
  const path: { entry: Entry; state: State }[] = [];
  let state = model.initial;
  let explained = 0;
  let most: Unexplained = { explained: -1, of: returned, stuck: [] };
  let entry = head.next;
  while (explained < returned) {
    if (entry !== undefined && entry.back !== undefined) {
      const after = model.step(state, entry.call);
      if (after !== undefined) {
        done[entry.index] = 1;
        const memory = `${done.join('')} ${model.describe(after)}`;
        if (!tried.has(memory)) {
          tried.add(memory);
          path.push({ entry, state });
          state = after;
          lift(entry);
          if (entry.call.end !== Number.POSITIVE_INFINITY) explained += 1;
          entry = head.next;
          continue;
        }
        done[entry.index] = 0;
      }
      entry = entry.next;
      continue;
    }
    // The return of a call that has not taken effect yet: some earlier choice was wrong.
    if (explained > most.explained) most = { explained, of: returned, stuck: openAt(head) };
    const last = path.pop();
    if (last === undefined) return most;
    state = last.state;
    done[last.entry.index] = 0;
    if (last.entry.call.end !== Number.POSITIVE_INFINITY) explained -= 1;
    unlift(last.entry);
    entry = last.entry.next;
  }
  return undefined;
}

/** The same, for each key by itself: what a map does to one key has nothing to do with the others. */
export function checkEachKey<State>(calls: readonly Call[], model: Model<State>): Unexplained | undefined {
  const byKey = new Map<number, Call[]>();
  for (const call of calls) {
    const known = byKey.get(call.key);
    if (known === undefined) byKey.set(call.key, [call]);
    else known.push(call);
  }
  for (const ofKey of byKey.values()) {
    const unexplained = checkLinearizable(ofKey, model);
    if (unexplained !== undefined) return unexplained;
  }
  return undefined;
}

/** Calls and returns as a list in order of time. */
function eventsOf(calls: readonly Call[]): Entry {
  const events: { time: number; isCall: boolean; entry: Entry }[] = [];
  calls.forEach((call, index) => {
    const end: Entry = { call, index, back: undefined, next: undefined, previous: undefined };
    const start: Entry = { call, index, back: end, next: undefined, previous: undefined };
    events.push({ time: call.start, isCall: true, entry: start });
    events.push({ time: call.end, isCall: false, entry: end });
  });
  // Of what happens at the same time, the calls come first: then they overlap, which allows more.
  events.sort((a, b) => a.time - b.time || Number(b.isCall) - Number(a.isCall));
  const head: Entry = { call: calls[0]!, index: -1, back: undefined, next: undefined, previous: undefined };
  let last = head;
  for (const { entry } of events) {
    last.next = entry;
    entry.previous = last;
    last = entry;
  }
  return head;
}

function lift(entry: Entry): void {
  for (const one of [entry, entry.back!]) {
    one.previous!.next = one.next;
    if (one.next !== undefined) one.next.previous = one.previous;
  }
}

function unlift(entry: Entry): void {
  for (const one of [entry.back!, entry]) {
    one.previous!.next = one;
    if (one.next !== undefined) one.next.previous = one;
  }
}

function openAt(head: Entry): Call[] {
  const open: Call[] = [];
  for (let entry = head.next; entry?.back !== undefined; entry = entry.next) open.push(entry.call);
  return open;
}
