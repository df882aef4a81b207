import { unpackLatin1 } from './text.js';

// Objects that arrive have mostly the keys of those before. A key that has been seen is the same string again, without one
// being made, and one that V8 has among its property names already.
const SLOTS = 1024;
const LONGEST = 32;

// Each key has one slot, by its hash, and pushes out whichever is there: what is kept is bounded, whatever arrives.
const known = new Array<string>(SLOTS).fill('');

/** The string of these Latin-1 bytes, where a property name is expected. */
export function unpackKey(bytes: Uint8Array, at: number, length: number): string {
  if (length > LONGEST) return unpackLatin1(bytes, at, length);
  let hash = length;
  for (let i = 0; i < length; i++) hash = (Math.imul(hash, 31) + bytes[at + i]!) | 0;
  const slot = (hash ^ (hash >>> 10)) & (SLOTS - 1);
  const candidate = known[slot]!;
  if (isAt(candidate, bytes, at, length)) return candidate;
  const key = unpackLatin1(bytes, at, length);
  known[slot] = key;
  return key;
}

function isAt(text: string, bytes: Uint8Array, at: number, length: number): boolean {
  if (text.length !== length) return false;
  for (let i = 0; i < length; i++) if (text.charCodeAt(i) !== bytes[at + i]) return false;
  return true;
}
