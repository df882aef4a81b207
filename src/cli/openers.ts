import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { SHM_DIRECTORY } from '../shared-memory/internal.js';

const PREFIX = `${SHM_DIRECTORY}/`;

/**
 * Which processes have which files of shared memory open or mapped, by the files' names: those that this user may look
 * into, and that this PID namespace knows.
 */
export function openers(): Map<string, number[]> {
  const found = new Map<string, number[]>();
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    for (const name of filesOf(pid)) found.set(name, [...(found.get(name) ?? []), pid]);
  }
  return found;
}

function filesOf(pid: number): Set<string> {
  const paths: string[] = [];
  try {
    for (const fd of readdirSync(`/proc/${pid}/fd`)) {
      try {
        paths.push(readlinkSync(`/proc/${pid}/fd/${fd}`));
      } catch {} // closed meanwhile
    }
    for (const line of readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n')) {
      const at = line.indexOf(PREFIX);
      if (at >= 0) paths.push(line.slice(at));
    }
  } catch {} // ended meanwhile, or another user's
  return new Set(paths.filter((path) => path.startsWith(PREFIX)).map((path) => path.slice(PREFIX.length)));
}
