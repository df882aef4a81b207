import type { LineClient } from './line-client.js';
import type { Program, Row, Scale } from './row.js';
import { type Summary, summarize } from './statistics.js';
import type { Toolbox } from './toolbox.js';

/** How a peer compares with us, each round's measurement with the other's next to it. */
export interface Comparison extends Summary {
  readonly target: number | undefined;
  /** Judged by the median; `undefined` without a target. */
  readonly reached: boolean | undefined;
}

/** What our own side is held to, whatever the others take. */
export interface Limit {
  /** Seconds for one operation. */
  readonly most: number;
  /** Judged by the median. */
  readonly reached: boolean;
}

export interface Measured {
  readonly name: string;
  /** Seconds for one operation. */
  readonly time: Summary;
  /** Absent for our own side. */
  readonly comparison?: Comparison;
  /** For our own side, where its row has one. */
  readonly limit?: Limit;
}

export interface Unavailable {
  readonly name: string;
  readonly lacking: string;
}

export interface MeasuredRow {
  readonly row: Row;
  readonly results: readonly (Measured | Unavailable)[];
}

interface Contender {
  client: LineClient;
  count: number;
  /** The turns of the present round, in seconds for one operation. */
  readonly present: number[];
  /** What each round came to. */
  readonly times: number[];
}

/**
 * Measures everybody in turn, several times for each round, and takes each one's median of these: so a slow stretch of
 * the machine meets all alike, and a single disturbance nobody. One round's times belong together; ratios are of those.
 */
export async function measureRow(row: Row, { rounds, turns }: Scale, toolbox: Toolbox): Promise<MeasuredRow> {
  const contenders = new Map<Program, Contender>();
  try {
    for (const program of [row.ours, ...row.peers.map((peer) => peer.program)]) {
      if (toolbox.lacks(program) !== undefined) continue;
      const contender: Contender = { client: await toolbox.start(program), count: 0, present: [], times: [] };
      contenders.set(program, contender);
      contender.count = row.unit === 'bytes' ? 1 : await warmUp(contender.client, row.seconds);
    }
    for (let round = 0; round < rounds; round++) {
      for (const [program, contender] of contenders) {
        if (row.anewEachRound && round > 0) await restart(program, contender, toolbox);
        contender.present.length = 0;
      }
      for (let turn = 0; turn < turns; turn++) {
        for (const { client, count, present } of contenders.values()) present.push((await client.run(count)) / count);
      }
      for (const { times, present } of contenders.values()) times.push(summarize(present).median);
    }
  } finally {
    await Promise.all([...contenders.values()].map(({ client }) => client.stop()));
  }
  const ourTimes = contenders.get(row.ours)!.times;
  const results = row.peers.map(({ name, program, target }): Measured | Unavailable => {
    const times = contenders.get(program)?.times;
    if (times === undefined) return { name, lacking: toolbox.lacks(program)! };
    return { name, time: summarize(times), comparison: compare(row, ourTimes, times, target) };
  });
  return { row, results: [measureOurs(row, ourTimes), ...results] };
}

function measureOurs({ most }: Row, times: readonly number[]): Measured {
  const time = summarize(times);
  return {
    name: 'multiprocess',
    time,
    ...(most === undefined ? {} : { limit: { most, reached: time.median <= most } }),
  };
}

function compare(row: Row, ours: readonly number[], theirs: readonly number[], target?: number): Comparison {
  const speed = row.ratio === 'speed';
  const ratios = summarize(ours.map((time, round) => (speed ? theirs[round]! / time : time / theirs[round]!)));
  const reached = target === undefined ? undefined : speed ? ratios.median >= target : ratios.median <= target;
  return { ...ratios, target, reached };
}

async function restart(program: Program, contender: Contender, toolbox: Toolbox): Promise<void> {
  await contender.client.stop();
  contender.client = await toolbox.start(program);
  await contender.client.run(contender.count);
}

/** So often it must have taken long enough: what V8 has yet to compile, or another program's turn, takes long once. */
const STEADY = 3;

/** Runs more and more until it takes long enough. @returns how many operations that needs. */
async function warmUp(client: LineClient, seconds: number): Promise<number> {
  let enough = 0;
  for (let count = 1; ; ) {
    const took = await client.run(count);
    if (took >= seconds) {
      enough += 1;
      if (enough === STEADY) return count;
      continue;
    }
    enough = 0;
    // What ran for a moment only says little about how long more of it takes.
    count = took < seconds / 20 ? count * 10 : Math.ceil(((count * seconds) / took) * 1.1);
  }
}
