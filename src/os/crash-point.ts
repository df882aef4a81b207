/**
 * The places of the file protocols (create, publish, hold, sweep) between whose steps a process may be killed. The
 * crash tests kill a real process at each of them; see docs/decisions/0004-who-cleans-up.md for what must hold then.
 */
export type CrashPoint =
  | 'tree:created'
  | 'tree:joined'
  | 'tree:left'
  | 'block:noted'
  | 'block:created'
  | 'block:reserved'
  | 'block:confirmed'
  | 'block:published'
  | 'attach:opened'
  | 'attach:held'
  | 'unlink:removed'
  | 'unlink:dropped'
  | 'sweep:locked'
  | 'sweep:block-removed'
  | 'sweep:blocks-done'
  | 'sweep:tree-removed';

let hook: ((point: CrashPoint) => void) | undefined;

/** Marks a step. Costs one comparison unless a test listens. */
export function crashPoint(point: CrashPoint): void {
  if (hook !== undefined) hook(point);
}

/** For tests: calls `listener` at every step this environment takes. */
export function onCrashPoint(listener: ((point: CrashPoint) => void) | undefined): void {
  hook = listener;
}
