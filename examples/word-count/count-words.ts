import { SharedMemory } from 'multiprocess';
import { isLowerCase, type Slice } from './split-text.js';
import { addByte, EMPTY_HASH, WordTable } from './word-table.js';

const STEP_BYTES = 1024 * 1024;

/**
 * What each process does: counts the words of one slice of the text.
 *
 * Text and counters arrive as views over the very memory that the main process has. The table goes back the same way: in
 * a block of just the right size, made here and passed by reference. The main process unlinks it.
 *
 * @param done counters of the bytes done, one for each process; the main process reads them meanwhile.
 */
export function countWords(text: Uint8Array, slice: Slice, done: BigInt64Array, index: number): SharedMemory | null {
  const table = new WordTable(text);
  for (let position = slice.start; position < slice.end; ) {
    const stepEnd = Math.min(position + STEP_BYTES, slice.end);
    position = countStep(text, position, stepEnd, slice.end, table);
    Atomics.store(done, index, BigInt(position - slice.start));
  }
  if (table.distinct === 0) return null; // there are no blocks of 0 bytes
  const memory = SharedMemory.create(table.writtenLength * Int32Array.BYTES_PER_ELEMENT);
  table.write(memory.view(Int32Array));
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
