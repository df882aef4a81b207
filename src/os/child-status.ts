import { libc } from './libc.js';

const P_PID = 1;
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const CLD_EXITED = 1;
const PR_SET_PDEATHSIG = 1;

const info = Buffer.alloc(128); // siginfo_t

/** How a child ended: by `exit(code)` or by a signal's number. */
export type ChildStatus = { readonly code: number } | { readonly signal: number };

/**
 * Asks the kernel whether a child of this process has ended, without taking the news away from Node, which reaps the
 * child when its event loop turns. Until then the kernel keeps the PID, so it cannot be another process's.
 *
 * @returns `reaped` when Node has the news already and is about to emit it.
 */
export function peekChildStatus(pid: number): ChildStatus | 'running' | 'reaped' {
  const c = libc();
  info.fill(0);
  if (c.waitid(P_PID, pid, info, WEXITED | WNOHANG | WNOWAIT) !== 0) return 'reaped';
  if (info.readInt32LE(16) === 0) return 'running';
  const status = info.readInt32LE(24);
  return info.readInt32LE(8) === CLD_EXITED ? { code: status } : { signal: status };
}

/** Has the kernel send this process a signal as soon as the thread that started it ends. */
export function signalOnParentDeath(signal: number): void {
  libc().prctl(PR_SET_PDEATHSIG, signal, 0, 0, 0);
}
