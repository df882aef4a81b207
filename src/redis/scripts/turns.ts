import type { Reply } from '../port.js';

// What the scripts of objects that are taken in turns answer, and what messages say of them.

export type Acquired =
  | { readonly token: bigint; readonly ownerDied: boolean }
  /** For how long, in ms, all who hold it live in any case. */
  | { readonly again: number };

export function readAcquired(reply: Reply): Acquired {
  const [won, number, died] = reply as [number, Buffer | number, Buffer?];
  if (won === 1) return { token: BigInt(String(number)), ownerDied: String(died) === '1' };
  return { again: Number(number) };
}

/** @returns what a message says that its member has won; undefined for one that says less. */
export function readWon(message: Buffer, member: string): { token: bigint; ownerDied: boolean } | boolean {
  const [whose, token, died] = message.toString().split(' ');
  if (whose !== member) return false;
  return token === undefined || { token: BigInt(token), ownerDied: died === '1' };
}
