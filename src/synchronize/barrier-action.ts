import type { FunctionLocation } from '../codec/internal.js';
import { CorruptSegmentError } from '../errors/index.js';
import { allocate, EXTENT_MASK, type Place, root, stale } from '../heap/internal.js';

// What another process needs to know of a barrier besides its root: as JSON in a block, written once, when the barrier is
// first sent somewhere.

/** Where the action is, and the usual timeout in milliseconds. */
export interface BarrierText {
  readonly action?: FunctionLocation;
  readonly timeout?: number;
}

const MOST_BYTES = 1 << 20;

/** Stores it, unless somebody has. */
export function storeText({ heap, at }: Place, text: BarrierText): void {
  const bytes = Buffer.from(JSON.stringify(text));
  const words = [bytes.length];
  for (let i = 0; i < bytes.length; i += 4) {
    words.push(bytes[i]! | ((bytes[i + 1] ?? 0) << 8) | ((bytes[i + 2] ?? 0) << 16) | ((bytes[i + 3] ?? 0) << 24));
  }
  heap.transaction.run((tx) => {
    tx.lockObject(at.address);
    if (tx.read(at.address + root.serial) !== at.serial) throw stale();
    if (tx.read(at.address + root.d) !== 0) return;
    const block = allocate(tx, words.length);
    for (const [i, word] of words.entries()) tx.fill(block + i, word);
    tx.write(at.address + root.d, block);
  });
}

/** Once there, it stays as long as the barrier. */
export function loadText({ heap, at }: Place): BarrierText | undefined {
  const block = heap.memory.load(at.address + root.d);
  if (block === 0) return undefined;
  const words = heap.memory.at(block);
  const first = block & EXTENT_MASK;
  const length = words[first]!;
  if (length < 0 || length > MOST_BYTES) throw new CorruptSegmentError('A barrier has no such action.');
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = (words[first + 1 + (i >> 2)]! >>> ((i & 3) * 8)) & 0xff;
  try {
    return JSON.parse(bytes.toString()) as BarrierText;
  } catch (cause) {
    throw new CorruptSegmentError('A barrier has no such action.', { cause });
  }
}
