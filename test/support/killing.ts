// Scenes in which a participant of a heap has died at one step of an operation, for the tests that kill at every step.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { checkHeap } from '../../src/heap/fsck.js';
import { Heap } from '../../src/heap/heap.js';
import { sweepHeap } from '../../src/heap/heap-sweep.js';
import { EXTENT_TABLE, header, logBase, MAX_SLOTS, slot, slotBase } from '../../src/heap/layout.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import type { Facts, Operation } from '../programs/heap-operations.js';
import { dieAt } from './dying.js';
import { eventually } from './shm.js';

export const filesOf = (id: string) => readdirSync('/dev/shm').filter((file) => file.startsWith(`mp-heap-${id}`));

/** Everybody leaves, and nothing is left. */
export async function endHeap(heap: Heap): Promise<void> {
  heap.leave();
  await isSwept(heap.id);
}

/** Any process of the library may be the one that sweeps. */
export async function isSwept(id: string): Promise<void> {
  if (sweepHeap(id)) return assert.deepEqual(filesOf(id), []);
  await eventually('the heap is swept', () => {
    sweepHeap(id);
    return filesOf(id).length === 0;
  });
}

export interface Scene {
  readonly survivor: Heap;
  readonly facts: Facts;
  readonly died: boolean;
  readonly steps: number;
}

/** A heap in which a victim has died at that step. */
export function killVictim(operation: Operation, step: number): Scene {
  const id = randomHex(16);
  const survivor = Heap.join(id, true)!;
  const facts = operation.prepare?.(survivor) ?? {};
  const victim = Heap.join(id, false)!;
  operation.arm?.(victim, facts);
  operation.follow?.(survivor, facts);
  const ending = dieAt(
    step,
    () => operation.act(victim, facts),
    () => [victim.participant.fd],
  );
  victim.stopTicking(); // a death takes it along
  if (!ending.died && !victim.left) victim.leave();
  return { survivor, facts, ...ending };
}

/** Another participant, which dies at that step while it looks after the dead. */
export function killReaper({ survivor }: Scene, step: number): boolean {
  const reaper = Heap.join(survivor.id, false)!;
  const { died } = dieAt(
    step,
    () => reaper.lookAround(MAX_SLOTS),
    () => [reaper.participant.fd],
  );
  reaper.stopTicking();
  if (!died) reaper.leave();
  return died;
}

/** Where a reaper has died too, what the first dead one had may be done at the second look only. */
function reapAll(survivor: Heap): void {
  const { participant } = survivor;
  for (let looks = 0; looks < 2; looks++) survivor.lookAround(MAX_SLOTS);
  for (const index of participant.others(MAX_SLOTS)) assert.equal(participant.isAlive(index), true, 'not reaped');
}

/** What must hold after any death: the others go on within a second, and everything is whole. */
export function verify(operation: Operation, { survivor, facts, died }: Scene): void {
  const start = performance.now();
  reapAll(survivor);
  operation.verify?.(survivor, facts, died);
  assert.deepEqual(checkHeap(survivor).problems, []);
  // It works on.
  const more = survivor.create(1);
  survivor.release(more.address);
  assert.deepEqual(checkHeap(survivor).problems, []);
  assert.ok(performance.now() - start < 1000, 'the others went on too late');
}

/**
 * What a reaper finds, as text: all words that anybody will read, and the files. After two deaths with the same text it
 * does the same.
 */
export function fingerprint({ survivor: { memory, id } }: Scene): string {
  const { segment } = memory;
  const hash = createHash('sha1');
  const nonce = segment[header.nonce]!;
  segment[header.nonce] = 0;
  hash.update(segment.subarray(0, logBase(0)));
  segment[header.nonce] = nonce;
  for (let index = 0; index < MAX_SLOTS; index++) {
    const length = segment[slotBase(index) + slot.logLength]!;
    if (length !== 0) hash.update(segment.subarray(logBase(index), logBase(index) + 2 * length));
  }
  hash.update(segment.subarray(EXTENT_TABLE));
  for (let extent = 1; extent < memory.extentCount; extent++) hash.update(new Int32Array(memory.extent(extent).buffer));
  for (const file of filesOf(id).sort()) hash.update(file.split('.').slice(2).join('.'));
  return hash.digest('hex');
}
