import { closeSync, constants, openSync, readSync, statfsSync } from 'node:fs';
import { SharedMemory } from 'multiprocess';
import type { TextFile } from './find-text-files.js';
import { Breather } from './interruption.js';

/** Where each file is going to lie in shared memory. */
export interface TextPlan {
  readonly files: readonly { readonly path: string; readonly position: number; readonly bytes: number }[];
  /** Of the whole block, separators included. */
  readonly bytes: number;
  /** Files that do not fit any more, and their bytes. */
  readonly leftOut: { readonly files: number; readonly bytes: number };
}

export interface LoadedText {
  readonly memory: SharedMemory;
  readonly files: number;
  readonly bytes: number;
  readonly unreadable: number;
}

// Positions in the text, and with them counts, are kept as signed 32-bit numbers.
const MOST_BYTES = 2 ** 31 - 1;
// The rest is for the tables of words, and for other programs.
const SHARE_OF_ROOM = 0.75;
const STEP_BYTES = 8 * 1024 * 1024;

/** How much text fits into shared memory at present. */
export function roomForText(): number {
  const { bavail, bsize } = statfsSync('/dev/shm');
  return Math.min(MOST_BYTES, Math.floor(bavail * bsize * SHARE_OF_ROOM));
}

/** Places one file behind the other, with one byte between them so that no word reaches from one into the next. */
export function planText(textFiles: readonly TextFile[], room: number): TextPlan {
  const files: { path: string; position: number; bytes: number }[] = [];
  const leftOut = { files: 0, bytes: 0 };
  let position = 0;
  for (const { path, bytes } of textFiles) {
    if (position + bytes + 1 > room) {
      leftOut.files += 1;
      leftOut.bytes += bytes;
    } else {
      files.push({ path, position, bytes });
      position += bytes + 1;
    }
  }
  return { files, bytes: position, leftOut };
}

/**
 * Reads every file once, straight into one block of shared memory. A file that has become shorter leaves zero bytes, of
 * one that has become longer only the planned part is read: neither is a word.
 *
 * The caller disposes of the memory.
 */
export async function loadText(plan: TextPlan, signal: AbortSignal): Promise<LoadedText> {
  const breather = new Breather(signal);
  const memory = SharedMemory.create(plan.bytes);
  const loaded = { files: 0, bytes: 0, unreadable: 0 };
  try {
    for (const { path, position, bytes } of plan.files) {
      try {
        const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
        try {
          for (let done = 0; done < bytes; ) {
            const length = Math.min(STEP_BYTES, bytes - done);
            const count = readSync(descriptor, memory.buf, position + done, length, done);
            if (count === 0) break;
            done += count;
            loaded.bytes += count;
            await breather.pause();
          }
        } finally {
          closeSync(descriptor);
        }
        loaded.files += 1;
      } catch (error) {
        if (signal.aborted) throw error;
        loaded.unreadable += 1;
      }
      await breather.pause();
    }
    return { memory, ...loaded };
  } catch (error) {
    memory[Symbol.dispose]();
    throw error;
  }
}
