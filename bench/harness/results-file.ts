import { writeFileSync } from 'node:fs';
import { availableParallelism, cpus, loadavg, release } from 'node:os';
import { RESULTS_FILE } from './folders.js';
import type { MeasuredRow } from './measure.js';
import type { Scale } from './row.js';
import type { Toolbox } from './toolbox.js';
import { wordComparison, wordLimit, wordTarget } from './wording.js';

/** What the numbers depend on. */
export function circumstances({ python, compiler }: Toolbox) {
  return {
    date: new Date().toISOString(),
    node: process.version,
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: availableParallelism(),
    kernel: release(),
    // What else ran takes from everybody, but not evenly.
    loadAtStart: Number(loadavg()[0]!.toFixed(2)),
    python: python === undefined ? 'not available' : python.version,
    pythonPackage: python === undefined ? 'no package' : python.package,
    compiler: compiler ?? 'not available',
  };
}

export type Circumstances = ReturnType<typeof circumstances>;

/** Keeps the results; times are seconds for one operation. */
export function writeResults(rows: readonly MeasuredRow[], { rounds }: Scale, facts: Circumstances): void {
  const content = {
    ...facts,
    rounds,
    rows: rows.map(({ row, results }) => ({
      title: row.title,
      ...(row.bytes === undefined ? {} : { bytes: row.bytes }),
      ...(row.unit === undefined ? {} : { unit: row.unit }),
      contenders: results.map((result) => {
        if (!('time' in result)) return result;
        const { name, time, comparison, limit } = result;
        if (limit !== undefined) return { name, time, target: wordLimit(limit), reached: limit.reached };
        if (comparison === undefined) return result;
        const { median, lowest, highest, reached } = comparison;
        return {
          name,
          time,
          compared: wordComparison(row, name, comparison),
          ratio: { median, lowest, highest },
          ...(reached === undefined ? {} : { target: wordTarget(row.ratio, comparison), reached }),
        };
      }),
    })),
  };
  writeFileSync(RESULTS_FILE, `${JSON.stringify(content, null, 2)}\n`);
}
