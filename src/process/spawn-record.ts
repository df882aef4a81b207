import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import type { FunctionLocation } from '../codec/internal.js';
import type { TakenSlot } from '../heap/internal.js';
import type { ProcessInfo } from './identity.js';

// What a child is told and what it answers lie in one unnamed file in shared memory, whose descriptor the child
// inherits. So `start()` has handed everything over when it returns, nobody has to read a pipe for the other to get on,
// and there is no name that a killed process could leave behind.
//
//   double headerBytes, argsBytes, outcome, outcomeBytes | header (JSON) | args (codec) | outcome (codec)

/**
 * The descriptor of that file in every child. Before it stand the standard streams and, as descriptor 3, the membership in
 * the process tree; after it the blocks in the arguments.
 */
export const RECORD_DESCRIPTOR = 4;

const PREFIX_BYTES = 32;
const outcomes = { none: 0, value: 1, error: 2 } as const;

export interface SpawnHeader {
  readonly process: ProcessInfo;
  readonly parent: ProcessInfo;
  /** `null` for one that comes before the arguments, as its source. */
  readonly target: FunctionLocation | null;
  /** How many blocks among the arguments are handed over, as descriptors. */
  readonly blocks: number;
  /** The places in heaps that have been taken for the child; their descriptors come after those of the blocks. */
  readonly slots: readonly Omit<TakenSlot, 'fd'>[];
  /** Modules without which the arguments cannot be opened. */
  readonly modules: readonly string[];
  readonly receipt: Receipt;
}

/** Where the parent takes part, so that what the child returns can be held for it. */
export interface Receipt {
  readonly label: number;
  readonly receivers: readonly { readonly heap: string; readonly nonce: number; readonly token: number }[];
}

export interface Outcome {
  readonly kind: 'value' | 'error';
  readonly bytes: Buffer;
}

/** Makes the file for a new child. @throws a system error, `ENOSPC` above all. */
export function writeSpawnRecord(directory: string, header: SpawnHeader, args: Buffer): number {
  const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
  const fd = openSync(directory, O_TMPFILE | constants.O_RDWR, 0o600);
  try {
    const text = Buffer.from(JSON.stringify(header));
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeDoubleLE(text.length, 0);
    prefix.writeDoubleLE(args.length, 8);
    writeAll(fd, Buffer.concat([prefix, text]), 0);
    writeAll(fd, args, PREFIX_BYTES + text.length);
    return fd;
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

export function readSpawnRecord(fd: number): { header: SpawnHeader; args: Buffer } {
  const prefix = readPrefix(fd);
  const header = JSON.parse(readAll(fd, PREFIX_BYTES, prefix.header).toString()) as SpawnHeader;
  return { header, args: readAll(fd, PREFIX_BYTES + prefix.header, prefix.args) };
}

/** Leaves the outcome for the parent. Until the last write it counts as absent, so it is never half there. */
export function writeOutcome(fd: number, { kind, bytes }: Outcome): void {
  const { header, args } = readPrefix(fd);
  const state = Buffer.alloc(16);
  writeAll(fd, state, 16);
  writeAll(fd, bytes, PREFIX_BYTES + header + args);
  state.writeDoubleLE(outcomes[kind], 0);
  state.writeDoubleLE(bytes.length, 8);
  writeAll(fd, state, 16);
}

/** What the child left, once it has ended; `undefined` when it left nothing. */
export function readOutcome(fd: number): Outcome | undefined {
  const { header, args, outcome, bytes } = readPrefix(fd);
  const start = PREFIX_BYTES + header + args;
  if (outcome === outcomes.none || start + bytes > fstatSync(fd).size) return undefined;
  return { kind: outcome === outcomes.value ? 'value' : 'error', bytes: readAll(fd, start, bytes) };
}

function readPrefix(fd: number): { header: number; args: number; outcome: number; bytes: number } {
  const prefix = readAll(fd, 0, PREFIX_BYTES);
  const [header, args, outcome, bytes] = [0, 8, 16, 24].map((at) => prefix.readDoubleLE(at)) as [
    number,
    number,
    number,
    number,
  ];
  return { header, args, outcome, bytes };
}

function writeAll(fd: number, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length; ) {
    done += writeSync(fd, bytes, done, bytes.length - done, position + done);
  }
}

function readAll(fd: number, position: number, length: number): Buffer {
  const bytes = Buffer.allocUnsafe(length);
  for (let done = 0; done < length; ) {
    const count = readSync(fd, bytes, done, length - done, position + done);
    if (count === 0) throw new Error('The record of a started process is shorter than it says.');
    done += count;
  }
  return bytes;
}
