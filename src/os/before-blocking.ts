// What this thread has put off until its event loop turns would never happen while it blocks, and it may be just that for
// which it blocks.
const putOff = new Set<() => void>();

/** Has `act` called before this thread blocks, unless that is taken back. */
export function putOffUntilBlocking(act: () => void): void {
  putOff.add(act);
}

export function takeBack(act: () => void): void {
  putOff.delete(act);
}

/** To be called by whatever is about to block this thread. */
export function aboutToBlock(): void {
  if (putOff.size === 0) return;
  for (const act of putOff) act();
}
