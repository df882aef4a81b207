import { constants } from 'node:os';
import { peekChildStatus } from '../os/index.js';

/** How a child has ended. */
export interface End {
  /** −N after signal N. */
  readonly exitCode: number;
  readonly signalCode: NodeJS.Signals | null;
}

/** The end as Node's `exit` event tells it. */
export function endFromEvent(code: number | null, signal: NodeJS.Signals | null): End {
  return { exitCode: signal === null ? (code ?? 0) : -constants.signals[signal], signalCode: signal };
}

/** The end as the kernel knows it, before Node has heard of it; `undefined` while the child runs. */
export function endFromKernel(pid: number): End | undefined {
  const status = peekChildStatus(pid);
  if (status === 'running' || status === 'reaped') return undefined;
  if ('code' in status) return { exitCode: status.code, signalCode: null };
  return { exitCode: -status.signal, signalCode: signalName(status.signal) };
}

function signalName(number: number): NodeJS.Signals | null {
  const found = Object.entries(constants.signals).find(([, value]) => value === number);
  return (found?.[0] as NodeJS.Signals | undefined) ?? null;
}
