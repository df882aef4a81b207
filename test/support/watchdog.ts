import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

const LOOK_EVERY_MS = 10_000;
const TICKS_A_SECOND = 100;

/** A process of the suite, whoever is its parent now: all of them carry a mark in their environment. */
export interface MarkedProcess {
  readonly pid: number;
  readonly command: string;
  readonly ageMs: number;
  /** For a person: its parent, what it sleeps at, where its output goes. */
  readonly doing: string;
}

export function markedProcesses(mark: string): MarkedProcess[] {
  const uptime = Number(readFileSync('/proc/uptime', 'utf8').split(' ')[0]);
  return readdirSync('/proc').flatMap((pid) => {
    try {
      if (!/^\d+$/.test(pid) || !readFileSync(`/proc/${pid}/environ`, 'latin1').split('\0').includes(mark)) return [];
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const command = readFileSync(`/proc/${pid}/cmdline`, 'latin1').replaceAll('\0', ' ').trim();
      const threads = readdirSync(`/proc/${pid}/task`).map((id) => {
        const name = readFileSync(`/proc/${pid}/task/${id}/comm`, 'latin1').trim();
        return `${name}@${readFileSync(`/proc/${pid}/task/${id}/wchan`, 'latin1') || '?'}`;
      });
      return [
        {
          pid: Number(pid),
          command,
          ageMs: Math.round((uptime - Number(fields[19]) / TICKS_A_SECOND) * 1000),
          doing: `parent ${fields[1]}, state ${fields[0]}, stdout ${linkOf(`/proc/${pid}/fd/1`)}, threads ${threads.join(' ')}`,
        },
      ];
    } catch {
      return []; // ended meanwhile, or another user's
    }
  });
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return 'closed';
  }
}

/**
 * Kills each process of the suite that gets older than `limitMs`, with a word of what it was at: one that hangs, or keeps a
 * pipe of its test file open, would else keep the whole suite.
 *
 * @param spared processes that live as long as the suite.
 * @returns what stops it, and tells how many it has killed.
 */
export function watchdog(mark: string, limitMs: number, spared: readonly number[]): () => number {
  let killed = 0;
  const timer = setInterval(() => {
    const all = markedProcesses(mark).filter(({ pid }) => !spared.includes(pid));
    const overdue = all.filter(({ ageMs }) => ageMs > limitMs);
    if (overdue.length === 0) return;
    console.error(`\nThe watchdog kills what is older than ${limitMs / 60_000} min. All processes of the suite:`);
    for (const each of all) {
      const word = overdue.includes(each) ? 'KILLED' : '      ';
      console.error(`  ${word} ${each.pid}, ${Math.round(each.ageMs / 1000)} s: ${each.command}\n    ${each.doing}`);
    }
    for (const { pid } of overdue) {
      try {
        process.kill(pid, 'SIGKILL');
        killed += 1;
      } catch {
        // ended meanwhile
      }
    }
  }, LOOK_EVERY_MS);
  return () => {
    clearInterval(timer);
    return killed;
  };
}
