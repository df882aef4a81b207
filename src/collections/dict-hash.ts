import type { KeyWords } from './dict-keys.js';

// HalfSipHash-1-3: a keyed hash in 32-bit arithmetic. Without knowing the secret nobody can make keys that all hash alike.

/** The hash of a key, with a secret of two words. */
export function hashKey({ head, length, words }: KeyWords, secret0: number, secret1: number): number {
  let a = secret0 | 0;
  let b = secret1 | 0;
  let c = secret0 ^ 0x6c796765;
  let d = secret1 ^ 0x74656462;
  // The head says how long the rest is, so it stands for the length that the original appends.
  let word = head;
  for (let i = 0; ; i++) {
    d ^= word;
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
    a ^= word;
    if (i >= length) break;
    word = words[i]!;
  }
  c ^= 0xff;
  for (let round = 0; round < 3; round++) {
    a = (a + b) | 0;
    b = ((b << 5) | (b >>> 27)) ^ a;
    a = (a << 16) | (a >>> 16);
    c = (c + d) | 0;
    d = ((d << 8) | (d >>> 24)) ^ c;
    a = (a + d) | 0;
    d = ((d << 7) | (d >>> 25)) ^ a;
    c = (c + b) | 0;
    b = ((b << 13) | (b >>> 19)) ^ c;
    c = (c << 16) | (c >>> 16);
  }
  return (b ^ d) | 0;
}
