// An async call that finds at once what it would wait for resolves without giving the event loop a turn. A loop of such calls
// would keep it from everything else, so now and then one takes a turn all the same.

const CALLS_PER_TURN = 128;

let calls = 0;
let scheduled = false;

/** Called when an async call has found at once what it would wait for. @returns what it waits for all the same, if anything. */
export function turnIfDue(): Promise<void> | undefined {
  if (!scheduled) {
    scheduled = true;
    setImmediate(begin);
  }
  calls += 1;
  return calls > CALLS_PER_TURN ? new Promise(setImmediate) : undefined;
}

function begin(): void {
  scheduled = false;
  calls = 0;
}
