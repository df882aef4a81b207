import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { checkHeap } from '../../../src/heap/fsck.js';
import { Heap } from '../../../src/heap/heap.js';
import { sweepHeap } from '../../../src/heap/heap-sweep.js';
import { EXTENT_SHIFT, EXTENT_TABLE, HEADER_WORDS, header, rootKind, SEGMENT_WORDS } from '../../../src/heap/layout.js';
import { randomHex } from '../../../src/shared-memory/internal.js';

/** Slots of two who live and do nothing, beyond those that scenes use. */
export const FIRST_BYSTANDER = 9;

/**
 * The heap in which scenes happen, one after the other. To make one takes several times as long as a schedule, so the words
 * of an empty heap are put back before each: every schedule begins with the same state, and can be shown again. Only the
 * generations of slots go on, so that nobody of an earlier schedule is taken for somebody of this one.
 */
export class Stage {
  readonly #warden: Heap;
  /** Who looks around at two others finds them soon, and need not look at all the slots, whose memory would have to be mapped. */
  readonly #bystanders: readonly Heap[];
  readonly #header: Int32Array;
  readonly #table: Int32Array;
  readonly #extents: readonly Int32Array[];

  /** @param empty without any extent, which then have to be made in the scene. */
  constructor(empty: boolean) {
    this.#warden = Heap.join(randomHex(16), true)!;
    this.#warden.stopTicking();
    if (!empty)
      for (const made of [this.#warden.create(rootKind.lock), this.#warden.createRaw(64)])
        this.#warden.release(made.address);
    const { segment, extentCount } = this.#warden.memory;
    const next = segment[header.nextSlot]!;
    segment[header.nextSlot] = FIRST_BYSTANDER;
    this.#bystanders = [Heap.join(this.id, false)!, Heap.join(this.id, false)!];
    for (const bystander of this.#bystanders) bystander.stopTicking();
    segment[header.nextSlot] = next;
    this.#header = segment.slice(0, HEADER_WORDS);
    this.#table = segment.slice(EXTENT_TABLE, SEGMENT_WORDS);
    this.#extents = Array.from({ length: extentCount - 1 }, (_, i) => this.#wordsOf(i + 1).slice());
  }

  get id(): string {
    return this.#warden.id;
  }

  /** Reaps whoever has died. Where a reaper has died too, what the first one had may be done at the second look only. */
  reap(): void {
    for (let looks = 0; looks < 2; looks++) this.#warden.lookAround(512);
  }

  /** fsck. */
  check(): void {
    assert.deepEqual(checkHeap(this.#warden).problems, [], 'fsck');
  }

  /** Looks that everybody has gone, and everything with them. */
  checkEmpty(): void {
    const { problems, roots, blocks, holds } = checkHeap(this.#warden);
    assert.deepEqual({ problems, roots, blocks, holds }, { problems: [], roots: 0, blocks: 0, holds: 0 }, 'the end');
    const slots = this.#bystanders.map(({ participant }) => participant.slot);
    assert.deepEqual([...this.#warden.participant.others(512)].sort(), slots.sort(), 'participants are left');
  }

  /** Makes it as it was. @returns whether that was possible: extents are never taken back. */
  restore(): boolean {
    const { segment, extentCount } = this.#warden.memory;
    if (extentCount !== this.#extents.length + 1) return false;
    segment.set(this.#header, 0);
    segment.set(this.#table, EXTENT_TABLE);
    for (const [i, words] of this.#extents.entries()) this.#wordsOf(i + 1).set(words);
    return true;
  }

  /** @throws when anything is left of it in /dev/shm. */
  end(): void {
    for (const heap of [...this.#bystanders, this.#warden]) heap.leave();
    sweepHeap(this.id);
    assert.deepEqual(
      readdirSync('/dev/shm').filter((file) => file.startsWith(`mp-heap-${this.id}`)),
      [],
    );
  }

  #wordsOf(extent: number): Int32Array {
    return this.#warden.memory.at(extent << EXTENT_SHIFT);
  }
}
