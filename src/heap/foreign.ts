import { CorruptSegmentError } from '../errors/index.js';
import { allocate } from './allocator.js';
import { foreignNode, header, root } from './layout.js';
import { addReference, dropReference } from './lifetimes.js';
import type { Transaction } from './transaction.js';

// References across heaps: a container in one heap refers to an object in another. The object's heap counts them, and lists
// for each of its objects which heap the references are in: when that heap is gone without having let go of them, they are
// dropped here.
//
// No transaction spans two heaps. So a count is raised before the reference is stored, and lowered after it has been
// removed: killed in between, an object lives too long, until the other heap ends, and never too short.

/** Another heap, as far as this one needs to know it. */
export interface ForeignHeap {
  /** Sixteen hexadecimal digits. */
  readonly id: string;
  readonly nonce: number;
}

/** A container in the other heap is about to refer to the object. Logs at most 19 words. */
export function addForeignReference(tx: Transaction, address: number, heap: ForeignHeap): void {
  tx.lockRoots();
  const known = findNode(tx, address, heap);
  if (known !== 0) {
    tx.write(known + foreignNode.count, tx.read(known + foreignNode.count) + 1);
  } else {
    const node = allocate(tx, foreignNode.words);
    const head = tx.read(header.foreign);
    const [low, high] = idWords(heap.id);
    tx.fill(node, address, head, 0, low, high, heap.nonce | 0, 1, tx.read(address + root.foreignNodes));
    tx.write(address + root.foreignNodes, node);
    if (head !== 0) tx.write(head + foreignNode.previous, node);
    tx.write(header.foreign, node);
  }
  tx.write(address + root.foreign, tx.read(address + root.foreign) + 1);
  addReference(tx, address);
}

/** It refers to it no more. Logs at most 40 words. @returns whether there was such a reference. */
export function dropForeignReference(tx: Transaction, address: number, heap: ForeignHeap): boolean {
  tx.lockRoots();
  const node = findNode(tx, address, heap);
  if (node === 0) return false;
  const count = tx.read(node + foreignNode.count);
  if (count > 1) tx.write(node + foreignNode.count, count - 1);
  else removeNode(tx, node);
  tx.write(address + root.foreign, tx.read(address + root.foreign) - 1);
  dropReference(tx, address);
  return true;
}

/** The heaps from which objects of this one are referred to. */
export function foreignHeaps(tx: Transaction): ForeignHeap[] {
  tx.lockRoots();
  const heaps = new Map<string, ForeignHeap>();
  for (const node of nodes(tx)) {
    const heap = heapOf(tx, node);
    heaps.set(`${heap.id}.${heap.nonce}`, heap);
  }
  return [...heaps.values()];
}

/** Drops one reference from a heap that is gone. @returns whether there was one. */
export function dropOneOf(tx: Transaction, heap: ForeignHeap): boolean {
  tx.lockRoots();
  for (const node of nodes(tx)) {
    if (isOf(tx, node, heap)) return dropForeignReference(tx, tx.read(node + foreignNode.root), heap);
  }
  return false;
}

/** An object is referred to from few heaps, however many others there are. */
function findNode(tx: Transaction, address: number, heap: ForeignHeap): number {
  let node = tx.read(address + root.foreignNodes);
  for (let i = 0; node !== 0 && i < MAX_NODES; i++) {
    if (isOf(tx, node, heap)) return node;
    node = tx.read(node + foreignNode.sibling);
  }
  return 0;
}

const MAX_NODES = 1 << 24; // more than fit; hostile bytes may form a ring

function* nodes(tx: Transaction): Generator<number> {
  let node = tx.read(header.foreign);
  for (let i = 0; node !== 0 && i < MAX_NODES; i++) {
    yield node;
    node = tx.read(node + foreignNode.next);
  }
}

function removeNode(tx: Transaction, node: number): void {
  const next = tx.read(node + foreignNode.next);
  const previous = tx.read(node + foreignNode.previous);
  if (previous === 0) tx.write(header.foreign, next);
  else tx.write(previous + foreignNode.next, next);
  if (next !== 0) tx.write(next + foreignNode.previous, previous);
  let linkAt = tx.read(node + foreignNode.root) + root.foreignNodes;
  for (let i = 0; tx.read(linkAt) !== node; i++) {
    if (tx.read(linkAt) === 0 || i === MAX_NODES) throw new CorruptSegmentError('A list of references is broken.');
    linkAt = tx.read(linkAt) + foreignNode.sibling;
  }
  tx.write(linkAt, tx.read(node + foreignNode.sibling));
  tx.free(node);
}

function isOf(tx: Transaction, node: number, heap: ForeignHeap): boolean {
  const [low, high] = idWords(heap.id);
  return (
    tx.read(node + foreignNode.heapLow) === low &&
    tx.read(node + foreignNode.heapHigh) === high &&
    tx.read(node + foreignNode.nonce) === (heap.nonce | 0)
  );
}

function heapOf(tx: Transaction, node: number): ForeignHeap {
  const half = (word: number) => (word >>> 0).toString(16).padStart(8, '0');
  const id = half(tx.read(node + foreignNode.heapHigh)) + half(tx.read(node + foreignNode.heapLow));
  return { id, nonce: tx.read(node + foreignNode.nonce) };
}

function idWords(id: string): [low: number, high: number] {
  return [Number.parseInt(id.slice(8), 16) | 0, Number.parseInt(id.slice(0, 8), 16) | 0];
}
