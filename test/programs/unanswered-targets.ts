// What servers that are stopped, busy or idle run, and who talks to them.
import { setTimeout as delay } from 'node:timers/promises';
import * as mp from 'multiprocess';

export class Steady {
  #count = 0;

  pid(): number {
    return process.pid;
  }

  increment(): number {
    this.#count += 1;
    return this.#count;
  }

  echo(value: unknown): unknown {
    return value;
  }

  /** Blocks the server. */
  waited(event: mp.Event): boolean {
    return event.waitSync({ timeout: 20_000 });
  }

  make(): Int32Array {
    return mp.RawArray('i', 1000);
  }
}

export class SteadyManager extends mp.SyncManager.with({ Steady }) {}

function outcome(error: unknown): string {
  return error instanceof mp.TimeoutError ? error.message : String(error);
}

/** How calls end, of somebody who has set no limit himself. */
export async function callBothWays(steady: mp.Remote<Steady>): Promise<string[]> {
  const found = [await steady.increment().then(String, outcome)];
  try {
    found.push(String(steady.incrementSync()));
  } catch (error) {
    found.push(outcome(error));
  }
  return found;
}

/** @returns how often the event loop has turned before there was an answer. */
export async function callPatiently(steady: mp.Remote<Steady>, asked: mp.Event): Promise<number> {
  const answer = steady.increment();
  let turns = 0;
  while (turns < 20) {
    await delay(1);
    turns += 1;
  }
  asked.set();
  await answer;
  return turns;
}
