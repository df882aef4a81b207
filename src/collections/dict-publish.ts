import { Place, root, type Transaction } from '../heap/internal.js';
import { copyOfCell } from '../values/internal.js';
import { createDict, Dict, KEEP_TTL } from './dict.js';
import { scratch, takeKey } from './dict-keys.js';
import { body, bodyOf, dictRoot, EXPIRING, entry } from './dict-layout.js';
import type { DictOverlay, OverlayEntry } from './dict-overlay.js';
import { expiryOf, findEntry, grow, INSERTION_ROOM, insertEntry, REFERRING_REMOVAL_ROOM } from './dict-table.js';
import { Overtaken } from './transact.js';

// How what a `transact` has done to a dict is stored: in one transaction, where the log has room for it; else a new body is
// made aside in as many as it takes, by a dict that nobody else knows, and the two exchange their bodies.

/** What one change logs besides what its entry takes. */
const SLACK = 20;

class NoRoom extends Error {}

/** @returns false when somebody else has changed the dict since the overlay was made. */
export function publishOverlay(dict: Dict, overlay: DictOverlay): boolean {
  if (overlay.overtaken) return false;
  if (!overlay.cleared && overlay.changes.size === 0) return true;
  try {
    if (!overlay.cleared) return publishInPlace(dict, overlay);
  } catch (error) {
    if (!(error instanceof NoRoom)) throw error;
    // Taking the lock and letting go of it has moved the sequence; nobody else had, which was looked at in between.
    overlay.sequence = (overlay.sequence + 2) | 0;
  }
  try {
    return publishAside(dict, overlay);
  } catch (error) {
    if (error instanceof Overtaken) return false;
    throw error;
  }
}

function publishInPlace(dict: Dict, overlay: DictOverlay): boolean {
  const done = dict.heap.transaction.run((tx) => {
    tx.lockObject(dict.at.address);
    const to = bodyOf(tx, dict.at);
    if (!isUnchanged(tx, dict, overlay)) return false;
    tx.lockRoots();
    for (const changed of overlay.changes.values()) applyChange(tx, dict, to, changed);
    return true;
  });
  if (done) dict.changedHere('all');
  return done;
}

/** Whether nobody has changed the dict before this transaction locked it. */
function isUnchanged(tx: Transaction, dict: Dict, { sequence }: DictOverlay): boolean {
  return tx.read(dict.at.address + root.sequence) === ((sequence + 1) | 0);
}

function applyChange(tx: Transaction, dict: Dict, to: number, { key, prepared, ttl, last }: OverlayEntry): void {
  scratch.copy(key);
  const hash = dict.hash();
  let found = findEntry(tx, to, scratch, hash);
  if (found !== 0 && last) {
    if (tx.room < REFERRING_REMOVAL_ROOM + SLACK) throw new NoRoom();
    dict.removeIn(tx, to, found);
    found = 0;
  }
  if (prepared === undefined) return;
  if (tx.room < dict.roomFor(tx, to, found, prepared) + SLACK) throw new NoRoom();
  dict.putIn(tx, to, found, hash, prepared, ttl);
}

function publishAside(dict: Dict, overlay: DictOverlay): boolean {
  const { heap, at } = dict;
  const kind = heap.memory.load(at.address + root.kind);
  const made = createDict(heap, kind, dict.settings(), dict.secret);
  try {
    const aside = new Dict(new Place(heap, made), (overlay.sequence + 1) | 0);
    if (!overlay.cleared) copyEntries(dict, aside, overlay);
    appendChanges(aside, overlay);
    const done = heap.transaction.run((tx) => {
      tx.lockObject(at.address);
      const old = bodyOf(tx, at);
      if (!isUnchanged(tx, dict, overlay)) return false;
      tx.write(at.address + dictRoot.body, tx.read(made.address + dictRoot.body));
      tx.write(made.address + dictRoot.body, old);
      tx.write(at.address + dictRoot.stamp, dict.stampNow(tx));
      return true;
    });
    if (done) dict.changedHere('all');
    return done;
  } finally {
    heap.release(made.address);
  }
}

/** Copies the entries that stay where they are, with the values that they have been given. */
function copyEntries(dict: Dict, aside: Dict, overlay: DictOverlay): void {
  const { heap, at } = dict;
  for (let next: number | undefined; next !== 0; ) {
    next = heap.transaction.run((tx) => {
      tx.lockRoots();
      makeSure(tx, dict, overlay);
      const to = bodyOf(tx, aside.at);
      let address = next ?? tx.read(bodyOf(tx, at) + body.first);
      for (; address !== 0; address = tx.read(address + entry.after)) {
        if (tx.room < INSERTION_ROOM + SLACK) break;
        copyEntry(tx, dict, aside, to, address, overlay);
      }
      makeSure(tx, dict, overlay);
      return address;
    });
  }
}

function copyEntry(tx: Transaction, dict: Dict, aside: Dict, to: number, address: number, overlay: DictOverlay): void {
  takeKey(tx, address, scratch);
  const changed = overlay.changeOfKeyInHand();
  if (changed?.last) return;
  const isExpiring = (tx.read(address + entry.head) & EXPIRING) !== 0;
  const expiry = isExpiring ? expiryOf(tx, address) : undefined;
  const prepared = changed === undefined ? copyOfCell(tx, dict.heap, address + entry.cell) : changed.prepared!;
  // Under the roots lock: as long as the sequence has not moved, nobody has let go of what the value refers to, and whoever
  // is about to waits for this lock.
  makeSure(tx, dict, overlay);
  const hash = aside.hash();
  if (changed !== undefined && changed.ttl !== KEEP_TTL) aside.putIn(tx, to, 0, hash, prepared, changed.ttl);
  else {
    insertEntry(tx, to, scratch, hash, prepared, aside.stampNow(tx), expiry);
    grow(tx, to);
  }
}

/** @throws Overtaken when somebody is changing the dict, or has. */
function makeSure(tx: Transaction, { at }: Dict, { sequence }: DictOverlay): void {
  if (tx.read(at.address + root.sequence) !== sequence) throw new Overtaken('Somebody else has changed the dict.');
}

function appendChanges(aside: Dict, overlay: DictOverlay): void {
  const made = [...overlay.changes.values()].flatMap(({ key, prepared, ttl, last }) =>
    last && prepared !== undefined ? [{ key, prepared, ttl }] : [],
  );
  for (let done = 0; done < made.length; ) {
    done += aside.heap.transaction.run((tx) => aside.putMany(tx, made, done));
  }
}
