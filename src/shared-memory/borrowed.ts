import type { FileIdentity } from '../os/index.js';
import { attachIdentity, blockOf } from './block.js';
import { identityKey } from './hold.js';

const borrowed = new Map<string, WeakRef<ArrayBuffer>>();

/**
 * The memory of a block for a view that arrived from elsewhere. Views that arrive later share the ArrayBuffer while it
 * is in use, so a thousand messages about one block map it once.
 */
export function borrowBuffer(name: string, identity: FileIdentity): ArrayBuffer {
  const key = identityKey(identity);
  const known = borrowed.get(key)?.deref();
  if (known !== undefined && blockOf(known)?.hold.open) return known;
  for (const [other, reference] of borrowed) if (reference.deref() === undefined) borrowed.delete(other);
  const { buffer } = attachIdentity(name, identity);
  borrowed.set(key, new WeakRef(buffer));
  return buffer;
}
