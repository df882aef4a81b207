import { NotShareableError, UncertainOutcomeError, WorkerDiedError } from '../errors/index.js';
import type { Chunk, Failures } from '../pool/internal.js';
import type { TravellingFunction } from '../process/internal.js';
import { type ChunkOutcome, decodeOutcome, type Sealed, unseal } from './task-payload.js';

/** The name by which workers find it. @throws NotShareableError */
export function nameOf(fn: TravellingFunction): string {
  const name = 'location' in fn ? (fn.location.exportName ?? fn.location.name ?? '') : '';
  if (name === '') {
    throw new NotShareableError(
      'Workers find a function by the name under which their module exports it: this one has none.',
    );
  }
  return name;
}

/** What has come back of so many tasks. What cannot be unpacked has failed. */
export function unpackOutcome(bytes: Buffer, count: number): { values: unknown[]; failures: Failures } {
  const all = Array.from({ length: count }, (_, i) => i);
  let decoded: ChunkOutcome;
  try {
    decoded = decodeOutcome(bytes);
  } catch (error) {
    return { values: [], failures: all.map((i) => [i, error] as const) };
  }
  const failures: (readonly [number, unknown])[] = decoded.failures.map(([i, error]) => [i, unsealed(error)] as const);
  const failed = new Set(decoded.failures.map(([i]) => i));
  const values = all.map((i) => {
    if (failed.has(i)) return undefined;
    try {
      return unseal(decoded.values[i]);
    } catch (error) {
      failures.push([i, error]);
      return undefined;
    }
  });
  return { values, failures };
}

/** The tasks of a chunk have failed with the worker that had them. */
export function deathsOf(chunk: Chunk): Failures {
  return Array.from(chunk.items, (_, i) => {
    const task = chunk.first + i;
    const message = `The worker of a pool that had task ${task} was not heard of for a whole lease.`;
    return [i, new WorkerDiedError(message, { exitCode: null, signalCode: null, task })] as const;
  });
}

function unsealed(error: Sealed): unknown {
  try {
    return unseal(error);
  } catch (reason) {
    return reason;
  }
}

/** What is not known at the server any more. */
export function lostError(): UncertainOutcomeError {
  return new UncertainOutcomeError(
    'The pool has lost what it was asked for: this client was not heard of for a whole lease, or the server has lost its data.',
  );
}
