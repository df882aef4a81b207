import type { Lockstep, Run } from './lockstep.js';
import type { Random } from './random.js';
import type { Scene } from './scene.js';
import type { Kill, Schedule, Turn } from './schedule.js';

// Which schedules are tried. A switch at a step where its thread could have gone on is a preemption; most defects of
// concurrent programs need no more than two of them, so schedules are taken in that order: all without, all with one, and of
// those with two, and of all others, as many as time allows, drawn by a seed.

/** How many of each sort; Infinity for all. */
export interface Extent {
  /** Schedules with one preemption. */
  readonly once: number;
  /** Schedules with two. */
  readonly twice: number;
  /** Steps at which somebody is killed, those of all threads together. */
  readonly kills: number;
  /** For each of them, schedules with one preemption: others are in the middle of something by then. */
  readonly amid: number;
  /** Random schedules, half of them with deaths. */
  readonly random: number;
}

export interface Explored {
  readonly schedules: number;
  readonly deaths: number;
  /** Turns that ended in waiting. */
  readonly waits: number;
  /** The steps of each thread where nobody died. */
  readonly steps: readonly number[];
}

/** Tries schedules of a scene. @throws ScheduleFailure for the first that fails. */
export async function explore(lockstep: Lockstep, scene: Scene, extent: Extent, random: Random): Promise<Explored> {
  let schedules = 0;
  let deaths = 0;
  let waits = 0;
  const steps = scene.threads.map(() => 0);
  const run = async (schedule: Schedule): Promise<Run> => {
    const result = await lockstep.run(scene, schedule);
    schedules += 1;
    deaths += result.died.filter(Boolean).length;
    waits += result.turns.filter(({ end }) => end === 'blocked').length;
    if (schedule.kills.length === 0) for (const [i, n] of result.steps.entries()) steps[i] = Math.max(steps[i]!, n);
    return result;
  };
  const starts = scene.threads.map((_, thread): Turn[] => [{ thread, steps: undefined }]);

  const once: Turn[][] = [];
  for (const turns of starts) once.push(...preempted(await run({ turns, kills: [] })));
  const share = Math.ceil(extent.twice / Math.max(1, Math.min(extent.once, once.length)));
  for (const turns of random.some(once, extent.once)) {
    const twice = preempted(await run({ turns, kills: [] }));
    for (const further of random.some(twice, share)) await run({ turns: further, kills: [] });
  }

  const killed = steps.flatMap((count, thread) =>
    Array.from({ length: count }, (_, i): Kill => ({ thread, step: i + 1 })),
  );
  for (const kill of random.some(killed, scene.everyDeath ? killed.length : extent.kills)) {
    for (const turns of starts) {
      const result = await run({ turns, kills: [kill] });
      for (const amid of random.some(preempted(result), extent.amid)) await run({ turns: amid, kills: [kill] });
    }
  }

  for (let i = 0; i < extent.random; i++) await run(randomSchedule(steps, random));
  return { schedules, deaths, waits, steps };
}

/** What a run could have been with one more preemption, or with another choice where somebody waited or was done. */
function preempted({ turns, open }: Run): Turn[][] {
  const schedules: Turn[][] = [];
  for (let i = open; i < turns.length; i++) {
    const before = turns.slice(0, i).map(({ thread, steps, end }) => ({
      thread,
      steps: end === 'paused' ? steps : undefined,
    }));
    const { thread, steps, others } = turns[i]!;
    // At 0 the one before had to stop anyway. The schedule's own choice is not taken back.
    for (let cut = i === open ? 1 : 0; cut < steps; cut++) {
      for (const other of others) {
        if (cut === 0 && other === turns[i - 1]?.thread) continue;
        const kept = cut === 0 ? before : [...before, { thread, steps: cut }];
        schedules.push([...kept, { thread: other, steps: undefined }]);
      }
    }
  }
  return schedules;
}

/** Now long turns, now short ones. */
function randomSchedule(steps: readonly number[], random: Random): Schedule {
  const longest = Math.max(2, random.pick([3, 10, 40, 150]));
  const turns: Turn[] = [];
  let left = steps.reduce((sum, n) => sum + n, 0);
  while (left > 0) {
    const count = 1 + random.below(longest);
    turns.push({ thread: random.below(steps.length), steps: count });
    left -= count;
  }
  const kills: Kill[] = [];
  if (random.below(2) === 0) {
    const first = random.below(steps.length);
    kills.push({ thread: first, step: 1 + random.below(steps[first]!) });
    // Now and then another dies too: the one who reaps, for example.
    const second = (first + 1) % steps.length;
    if (random.below(3) === 0) kills.push({ thread: second, step: 1 + random.below(steps[second]! + 20) });
  }
  return { turns, kills };
}

/** Leaves out of a failing schedule what it fails without. */
export async function shrink(lockstep: Lockstep, scene: Scene, failing: Schedule): Promise<Schedule> {
  const fails = async (schedule: Schedule) => {
    try {
      await lockstep.run(scene, schedule);
      return false;
    } catch {
      return true;
    }
  };
  let best = failing;
  for (let size = Math.ceil(best.turns.length / 2); size >= 1; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    for (let i = 0; i < best.turns.length; ) {
      const without = { ...best, turns: [...best.turns.slice(0, i), ...best.turns.slice(i + size)] };
      if (await fails(without)) best = without;
      else i += size;
    }
  }
  for (const kill of best.kills) {
    const without = { ...best, kills: best.kills.filter((each) => each !== kill) };
    if (await fails(without)) best = without;
  }
  return best;
}
