/** What can be known of a process of this library. */
export interface ProcessInfo {
  readonly pid: number;
  readonly name: string;
  readonly daemon: boolean;
}

/**
 * Environment variable that says who a started process is, written by its bootstrap before anything reads it. Worker
 * threads get a copy of the environment, and so do processes that are started by other means; the PID in it tells those
 * apart.
 */
export const IDENTITY_VARIABLE = 'MULTIPROCESS_PROCESS';
