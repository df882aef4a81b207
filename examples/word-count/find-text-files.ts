import { closeSync, constants, fstatSync, openSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { Breather } from './interruption.js';

export interface TextFile {
  readonly path: string;
  /** As the file system said when the file was found; it may have changed since. */
  readonly bytes: number;
}

export interface FoundFiles {
  readonly textFiles: readonly TextFile[];
  readonly binaryFiles: number;
  /** Files and folders that could not be opened or read. */
  readonly unreadable: number;
}

const SAMPLE_BYTES = 8 * 1024;
const MOST_CONTROL_CHARACTERS = 0.03;

/**
 * Finds all text files below a folder, in an order that does not depend on the file system. Symbolic links are not
 * followed: they may lead out of the folder, or round in a circle.
 *
 * @throws a system error when the folder itself cannot be read.
 */
export async function findTextFiles(folder: string, signal: AbortSignal): Promise<FoundFiles> {
  const breather = new Breather(signal);
  const sample = Buffer.alloc(SAMPLE_BYTES);
  const textFiles: TextFile[] = [];
  const folders = [folder];
  let binaryFiles = 0;
  let unreadable = 0;

  for (let current = folders.pop(); current !== undefined; current = folders.pop()) {
    try {
      const entries = readdirSync(current, { withFileTypes: true });
      entries.sort((a, b) => (a.name < b.name ? -1 : 1));
      for (const entry of entries) {
        const path = join(current, entry.name);
        if (entry.isDirectory()) folders.push(path);
        if (!entry.isFile()) continue;
        try {
          const bytes = bytesOfText(path, sample);
          if (bytes === undefined) binaryFiles += 1;
          else textFiles.push({ path, bytes });
        } catch {
          unreadable += 1;
        }
        await breather.pause();
      }
    } catch (error) {
      if (current === folder || signal.aborted) throw error;
      unreadable += 1;
    }
  }
  return { textFiles, binaryFiles, unreadable };
}

/** The size of a file that looks like text, `undefined` for any other. */
function bytesOfText(path: string, sample: Buffer): number | undefined {
  // Without O_NONBLOCK, a named pipe that took the file's place meanwhile would hold the program up for ever.
  const descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    const facts = fstatSync(descriptor);
    const length = readSync(descriptor, sample, 0, SAMPLE_BYTES, 0);
    return facts.isFile() && looksLikeText(sample.subarray(0, length)) ? facts.size : undefined;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Text has no NUL byte and hardly any other control characters. Bytes beyond ASCII say nothing: they may be UTF-8 or any
 * older encoding.
 */
function looksLikeText(sample: Uint8Array): boolean {
  let controls = 0;
  for (const byte of sample) {
    if (byte === 0) return false;
    if ((byte < 32 && !isWhiteSpace(byte)) || byte === 127) controls += 1;
  }
  return controls <= sample.length * MOST_CONTROL_CHARACTERS;
}

/** Tab, line feed, vertical tab, form feed, carriage return. */
function isWhiteSpace(byte: number): boolean {
  return byte >= 9 && byte <= 13;
}
