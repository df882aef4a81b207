import { RawArray, type Synchronized } from 'multiprocess';
import { isLowerCase, type Slice } from './split-text.js';
import { addByte, EMPTY_HASH, WordTable } from './word-table.js';

const STEP_BYTES = 1024 * 1024;

/**
 * A task of the pool: counts the words of one slice of the text.
 *
 * The text arrives as a view of the very memory that the main process has, and so does the number. The table goes back the
 * same way: it lies in shared memory that is made here, and lives for as long as anybody can reach it.
 *
 * @param done how many bytes have been counted; the main process reads it meanwhile.
 */
export function countWords(text: Uint8Array, slice: Slice, done: Synchronized<'q'>): Int32Array {
  const table = new WordTable(text);
  for (let position = slice.start; position < slice.end; ) {
    const stepEnd = Math.min(position + STEP_BYTES, slice.end);
    const end = countStep(text, position, stepEnd, slice.end, table);
    done.add(end - position);
    position = end;
  }
  const memory = RawArray('i', table.writtenLength);
  table.write(memory);
  return memory;
}

/**
 * Counts the words that begin before `stepEnd`. Works on bytes: a string for each word would cost ten times as much.
 *
 * @returns where to go on.
 */
function countStep(text: Uint8Array, start: number, stepEnd: number, end: number, table: WordTable): number {
  let position = start;
  while (position < stepEnd) {
    let byte = text[position]! | 0x20; // the lower case of letters
    if (!isLowerCase(byte)) {
      position += 1;
      continue;
    }
    const first = position;
    let hash = EMPTY_HASH;
    do {
      hash = addByte(hash, byte);
      position += 1;
      if (position === end) break;
      byte = text[position]! | 0x20;
    } while (isLowerCase(byte));
    table.add(first, position - first, 1, hash);
  }
  return position;
}
