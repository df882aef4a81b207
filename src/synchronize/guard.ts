/** A lock that is held until `release()`, or to the end of the block with `using`. */
export interface Guard {
  /** Lets go; idempotent. */
  release(): void;
  /** Whether the holder before this one died with the lock, and may have left half-done what the lock protects. */
  readonly ownerDied: boolean;
  [Symbol.dispose](): void;
}

/** A guard that calls `release` once. */
export function makeGuard(release: () => void, ownerDied: boolean): Guard {
  let held = true;
  const letGo = () => {
    if (!held) return;
    held = false;
    release();
  };
  return { release: letGo, ownerDied, [Symbol.dispose]: letGo };
}
