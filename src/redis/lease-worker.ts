import { setTimeout as delay } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { MultiprocessError } from '../errors/index.js';
import { now } from '../heap/internal.js';
import type { FromLeases, LeaseConfig, ToLeases } from './leases.js';
import { PATIENCE_MS } from './line.js';
import { lineTo } from './lines.js';
import { renew } from './scripts/renew.js';
import { reachedByTarget } from './target.js';

// Renews leases in a thread of its own, over a connection of its own: however busy the program is, it does not lose what it
// holds. A lease counts from when its renewal was asked for, on this machine's monotonic clock, so it ends here no later than
// at the server.

const PAUSE_MS = 50;

const { target, address, lease } = workerData as LeaseConfig;
const port = parentPort!;
const line = lineTo({ ...reachedByTarget(target), address });

interface Held {
  readonly leases: string;
  readonly member: string;
  ends: number;
}

const held = new Map<number, Held>();

function say(message: FromLeases): void {
  port.postMessage(message);
}

function lose(number: number): void {
  if (held.delete(number)) say({ lost: number });
}

async function renewOne(number: number, one: Held): Promise<void> {
  const asked = now();
  try {
    if (!(await renew(line, one.leases, one.member, lease))) return lose(number);
    if (now() < one.ends) one.ends = asked + lease;
  } catch {
    // The server cannot be reached: if that lasts, the lease ends.
  }
}

function look(): void {
  for (const [number, { ends }] of held) if (now() >= ends) lose(number);
}

port.on('message', (message: ToLeases) => {
  if ('hold' in message) {
    const { hold: number, leases, member, ends } = message;
    const one = { leases, member, ends };
    held.set(number, one);
    // The next round comes in time for what has just been taken.
    if (ends - now() < lease / 2) void renewOne(number, one);
  }
  for (const number of message.drop) held.delete(number);
});

/** What it is started for is connected, so what is lost on the way is tried again, for as long as other calls wait. */
async function open(): Promise<void> {
  for (const deadline = now() + PATIENCE_MS; ; ) {
    try {
      return await line.open();
    } catch (error) {
      if (error instanceof MultiprocessError || now() > deadline) throw error;
    }
    await delay(PAUSE_MS);
  }
}

try {
  await open();
  setInterval(() => {
    for (const [number, one] of held) void renewOne(number, one);
  }, lease / 3);
  setInterval(look, Math.max(10, lease / 50));
  say({ ready: true });
} catch (error) {
  const { code } = error as NodeJS.ErrnoException;
  say({ failed: error instanceof Error ? error.message : String(error), code });
}
