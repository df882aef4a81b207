// A thread that does its parts of scenes, and stops before each step until the controller lets it go on.
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { onBlock, onStep } from '../../../src/heap/doors.js';
import { Heap } from '../../../src/heap/heap.js';
import { collectGarbage } from '../gc.js';
import {
  actor,
  awaitTurn,
  command,
  getText,
  makeBoard,
  passTurn,
  putText,
  shared,
  state,
  wordOf,
} from './hand-over.js';
import type { Facts, Part, Scene } from './scene.js';

/** Thrown where a thread dies, and again at each later step: so it writes nothing more, whatever `catch` and `finally` try. */
class Death extends Error {}

const { memory, me, table } = workerData as { memory: SharedArrayBuffer; me: number; table: string };
const board = makeBoard(memory);
const { words } = board;
const word = {
  command: wordOf(me, actor.command),
  state: wordOf(me, actor.state),
  steps: wordOf(me, actor.steps),
  limit: wordOf(me, actor.limit),
  kill: wordOf(me, actor.kill),
};
const { scenes } = (await import(table)) as { scenes: readonly Scene[] };

/** What this thread has open, which the kernel would close when it dies. */
const descriptors = new Set<number>();
const { openSync, closeSync } = fs;
fs.openSync = (...args: Parameters<typeof openSync>) => {
  const fd = openSync(...args);
  descriptors.add(fd);
  return fd;
};
fs.closeSync = (fd) => {
  descriptors.delete(fd);
  closeSync(fd);
};
syncBuiltinESMExports();

// Time passes as the controller wants, so that a schedule is the same each time: a step takes a microsecond, a sleep as long
// as the others make it.
process.hrtime.bigint = () => BigInt(Atomics.load(words, shared.clock)) * 1000n + 1_000_000_000n;

// And heaps do nothing by themselves.
const { setInterval: startInterval } = globalThis;
globalThis.setInterval = ((...args: Parameters<typeof startInterval>) => {
  const timer = startInterval(...args);
  clearInterval(timer);
  return timer;
}) as typeof startInterval;

let dead = false;
let steps = 0;

/** Gives the turn back, and waits for the next one. */
function stop(as: number): void {
  Atomics.store(words, word.state, as);
  Atomics.store(words, word.steps, steps);
  passTurn(board, 0);
  awaitTurn(board, me);
  if (Atomics.load(words, word.command) === command.giveUp) die();
}

function die(): never {
  dead = true;
  throw new Death();
}

function beforeStep(): void {
  if (dead) throw new Death();
  while (steps + 1 > Atomics.load(words, word.limit)) stop(state.paused);
  steps += 1;
  Atomics.add(words, shared.clock, 1);
  if (steps === Atomics.load(words, word.kill)) die();
}

function closeAll(): void {
  for (const fd of [...descriptors]) fs.closeSync(fd);
}

/** Does the part, interleaved with others. */
function play(on: Heap, facts: Facts): number | undefined {
  dead = false;
  steps = 0;
  onStep(beforeStep);
  onBlock(() => {
    if (dead) throw new Death();
    stop(state.blocked);
  });
  try {
    return part.act(on, facts) ?? undefined;
  } finally {
    onStep(undefined);
    onBlock(undefined);
    if (dead) closeAll();
  }
}

let part: Part;
let heap: Heap | undefined;

/** What a thread is told before it arms, or, where there is nothing to arm, before it acts. */
export interface Role {
  readonly scene: string;
  readonly id: string;
  readonly facts: Facts;
}

function join({ scene, id }: Role): Heap {
  part = scenes.find(({ name }) => name === scene)!.threads[me - 1]!;
  heap = Heap.join(id, false)!;
  return heap;
}

/** @returns the state in which the command has left this thread. */
function obey(wanted: number): number {
  if (wanted === command.leave) {
    heap?.leave();
    heap = undefined;
    return state.gone;
  }
  const role = getText(board, me) as Role;
  if (wanted === command.arm) {
    const joined = join(role);
    putText(board, me, part.arm!(joined, role.facts) ?? {});
    return state.ready;
  }
  try {
    const result = play(heap ?? join(role), role.facts);
    putText(board, me, { result });
  } catch (error) {
    if (!dead) throw error;
  }
  if (dead) heap = undefined;
  return dead ? state.dead : state.done;
}

parentPort!.postMessage('ready');
for (;;) {
  awaitTurn(board, me);
  const wanted = Atomics.load(words, word.command);
  let after: number = state.done;
  try {
    // What heaps have mapped is let go of by finalizers, which need the event loop.
    if (wanted === command.collect) await collectGarbage();
    else after = obey(wanted);
  } catch (error) {
    putText(board, me, { failure: (error as Error).stack?.slice(0, 4000) ?? String(error) });
    after = state.failed;
    closeAll();
    heap = undefined;
  }
  Atomics.store(words, word.state, after);
  Atomics.store(words, word.steps, steps);
  passTurn(board, 0);
}
