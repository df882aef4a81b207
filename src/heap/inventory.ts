import { closeSync, constants, openSync, readdirSync, readSync } from 'node:fs';
import { fileFacts, isLockedByOther, openFileFacts } from '../os/index.js';
import { SHM_DIRECTORY } from '../shared-memory/internal.js';
import { GENERATION_SHIFT, header, MAX_SLOTS, SEGMENT_MAGIC, slot, slotBase, slotState } from './layout.js';
import { heapOfFile, SLOT_BYTES, segmentPath } from './segment.js';

/** A heap as one sees it without taking part in it. */
export interface HeapFacts {
  readonly id: string;
  /** Of its segment and its extents. */
  readonly bytes: number;
  readonly extents: number;
  /** Environments (main threads and workers) that take part, by the PIDs that they have in their own namespaces. */
  readonly participants: readonly number[];
  /** Those that have died and have not been reaped yet. */
  readonly dead: number;
}

const STATE_MASK = (1 << GENERATION_SHIFT) - 1;

/** All heaps of this user. Nothing is changed, and nobody is waited for. */
export function listHeaps(): HeapFacts[] {
  const sizes = new Map<string, number[]>();
  for (const file of readdirSync(SHM_DIRECTORY)) {
    const id = heapOfFile(file)?.id;
    const bytes = id === undefined ? undefined : sizeOf(`${SHM_DIRECTORY}/${file}`);
    if (id !== undefined && bytes !== undefined) sizes.set(id, [...(sizes.get(id) ?? []), bytes]);
  }
  return [...sizes].map(([id, files]) => {
    const segment = readSegment(id);
    return {
      id,
      bytes: files.reduce((sum, bytes) => sum + bytes, 0),
      extents: files.length - (segment === undefined ? 0 : 1),
      participants: segment?.participants ?? [],
      dead: segment?.dead ?? 0,
    };
  });
}

/** @returns undefined for what is gone, or another user's. */
function sizeOf(path: string): number | undefined {
  const facts = fileFacts(path);
  return facts?.regular && facts.uid === process.geteuid!() ? facts.bytes : undefined;
}

/** @returns undefined for extents without a segment, and for what is no heap of this version. */
function readSegment(id: string): Pick<HeapFacts, 'participants' | 'dead'> | undefined {
  let fd: number;
  try {
    fd = openSync(segmentPath(id), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const words = new Int32Array(slotBase(MAX_SLOTS));
    if (!openFileFacts(fd).regular || readSync(fd, words, 0, words.byteLength, 0) < words.byteLength) return undefined;
    if (words[header.magic] !== SEGMENT_MAGIC) return undefined;
    const participants: number[] = [];
    let dead = 0;
    for (let index = 0; index < MAX_SLOTS; index++) {
      if ((words[slotBase(index) + slot.state]! & STATE_MASK) !== slotState.live) continue;
      if (isLockedByOther(fd, SLOT_BYTES + BigInt(index))) participants.push(words[slotBase(index) + slot.pid]!);
      else dead += 1;
    }
    return { participants: participants.sort((a, b) => a - b), dead };
  } finally {
    closeSync(fd);
  }
}
