import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** What lies in /dev/shm, other test files' things included. */
export function shmEntries(): Set<string> {
  return new Set(readdirSync('/dev/shm'));
}

/** A name that no other test uses. */
export function testName(label: string): string {
  counter += 1;
  return `mptest_${process.pid}_${label}_${counter}`;
}
let counter = 0;

/** Awaits a condition that another process brings about. */
export async function eventually(
  what: string,
  condition: () => boolean | Promise<boolean>,
  withinMs = 5000,
): Promise<void> {
  const deadline = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail(`Not within ${withinMs} ms: ${what}`);
    await delay(5);
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
