import {
  addHold,
  atomicAdd,
  belonging,
  belongingKind,
  belongingsOf,
  EXTENT_MASK,
  type Heap,
  type Place,
  registerBelonging,
  removeHold,
  root,
  type Transaction,
} from '../heap/internal.js';
import { dropCellInPlace } from '../values/internal.js';
import { putBack } from './channel.js';
import { body, bodyType, channel, item, share, shareKind, waitWord } from './layout.js';

// What participants have of a queue besides their holds on it: leased items, items that are being unpacked, and how many
// items of a joinable queue they have taken and are not done with. Each is a belonging, entered in the transaction that takes
// the item out of the queue, so with any process killed at any instant an item is in the queue or somebody's.

/** Notes that this participant has an item. The queue's lock and the roots lock are taken. Logs at most 36 words. */
export function takeOut(tx: Transaction, place: Place, at: number, taken: number, kind: number): number {
  const { heap, at: queue } = place;
  const first = tx.read(at + body.out);
  tx.write(taken + item.next, first);
  tx.write(taken + item.previous, 0);
  if (first !== 0) tx.write(first + item.previous, taken);
  tx.write(at + body.out, taken);
  if (kind === shareKind.lease) {
    tx.write(taken + item.deliveries, tx.read(taken + item.deliveries) + 1);
    tx.write(at + body.leased, tx.read(at + body.leased) + 1);
  }
  const node = addHold(tx, queue.address, belongingsOf(heap.participant.slot), belongingKind.lease, share.words);
  tx.fill(node + share.kind, kind, taken, queue.serial, 0);
  return node;
}

/** Takes an item from whoever had it; it is nobody's now. Logs at most 4 words. */
function takeFrom(tx: Transaction, at: number, node: number): number {
  const taken = tx.read(node + share.item);
  const next = tx.read(taken + item.next);
  const previous = tx.read(taken + item.previous);
  if (previous === 0) tx.write(at + body.out, next);
  else tx.write(previous + item.next, next);
  if (next !== 0) tx.write(next + item.previous, previous);
  if (tx.read(node + share.kind) === shareKind.lease) tx.write(at + body.leased, tx.read(at + body.leased) - 1);
  return taken;
}

/** Ends an item that is nobody's. Logs at most 100 words, and frees two blocks. */
export function dropItem(tx: Transaction, dropped: number): void {
  dropCellInPlace(tx, dropped + item.cell);
  tx.free(dropped);
}

/** The item of a share is done with. Logs at most 150 words. */
export function finishShare(tx: Transaction, address: number, node: number, headAt: number): void {
  tx.lockRoots();
  if (isCurrent(tx, address, node)) dropItem(tx, takeFrom(tx, tx.read(address + root.a), node));
  removeHold(tx, node, headAt);
}

/** The item of a lease goes back before all others. Logs at most 60 words. */
export function returnShare(tx: Transaction, address: number, node: number, headAt: number): void {
  tx.lockRoots();
  if (isCurrent(tx, address, node)) {
    const at = tx.read(address + root.a);
    putBack(tx, at + body.channel, takeFrom(tx, at, node));
  }
  removeHold(tx, node, headAt);
}

/** Whether the queue is still the one that the item is of: `dispose()` ends all its items. */
function isCurrent(tx: Transaction, address: number, node: number): boolean {
  return tx.read(address + root.serial) === tx.read(node + share.serial);
}

/** One more item has been taken without a lease. @returns where that is counted. Logs at most 24 words. */
export function countTaken(tx: Transaction, place: Place, at: number, known: number): number {
  const { heap, at: queue } = place;
  let node = known;
  if (node === 0 || !isTaker(tx, place, node)) {
    tx.lockRoots();
    node = addHold(tx, queue.address, belongingsOf(heap.participant.slot), belongingKind.lease, share.words);
    tx.fill(node + share.kind, shareKind.taker, heap.participant.token, queue.serial, 0);
  }
  tx.write(node + share.count, tx.read(node + share.count) + 1);
  tx.write(at + body.taken, tx.read(at + body.taken) + 1);
  return node;
}

/**
 * What is known of this participant's taker may be wrong: JavaScript that is cut short notes one that has been undone.
 */
export function isTaker(tx: Transaction, { heap, at }: Place, node: number): boolean {
  return (
    tx.read(node + belonging.root) === at.address &&
    tx.read(node + belonging.kind) === belongingKind.lease &&
    tx.read(node + share.kind) === shareKind.taker &&
    tx.read(node + share.item) === heap.participant.token &&
    tx.read(node + share.serial) === at.serial
  );
}

/** Items of which nobody has said yet that they are done. */
export function unfinished(tx: Transaction, at: number): number {
  return (
    tx.read(at + body.channel + channel.count) +
    tx.read(at + body.leased) +
    tx.read(at + body.taken) -
    tx.read(at + body.doneByOthers)
  );
}

/** So many that were taken are done, by whoever took them. Logs at most 2 words. */
export function finishTaken(tx: Transaction, at: number, count: number): void {
  const taken = tx.read(at + body.taken) - count;
  tx.write(at + body.taken, taken);
  if (tx.read(at + body.doneByOthers) > taken) tx.write(at + body.doneByOthers, taken);
}

/** Lets all look who wait for that. Nothing is concluded from it, so it needs no log. */
function alert(tx: Transaction, address: number, word: number): void {
  atomicAdd(tx.memory.at(address + word), (address + word) & EXTENT_MASK, 1);
  tx.wakeAfterwards(address + word);
}

/** Those who wait for the last item to be done, or for an ended queue to be empty for good, may go on. */
export function alertIfOver(tx: Transaction, address: number): void {
  const at = tx.read(address + root.a);
  if (tx.read(at + body.type) === bodyType.joinable && unfinished(tx, at) === 0) alert(tx, address, waitWord.done);
  if (tx.read(at + body.ended) !== 0 && tx.read(at + body.leased) === 0) alert(tx, address, waitWord.items);
}

/** A participant is gone: its leased items go back, what it was unpacking is lost, and its other items are done. */
registerBelonging(belongingKind.lease, (tx, node, headAt) => {
  const address = tx.read(node + belonging.root);
  if (!isCurrent(tx, address, node)) return removeHold(tx, node, headAt);
  const kind = tx.read(node + share.kind);
  const at = tx.read(address + root.a);
  if (kind === shareKind.lease) {
    returnShare(tx, address, node, headAt);
    alert(tx, address, waitWord.items);
  } else if (kind === shareKind.taker) {
    finishTaken(tx, at, tx.read(node + share.count));
    alertIfOver(tx, address);
    removeHold(tx, node, headAt);
  } else {
    finishShare(tx, address, node, headAt);
  }
});

/** Nodes of this participant's, for those who know only that they have them. */
export function ownList(heap: Heap): number {
  return belongingsOf(heap.participant.slot);
}
