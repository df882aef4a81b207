// Whatever other processes have written where a queue lies: an error of the library, or a value, but no crash and no loop.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { MultiprocessError } from '../../src/errors/index.js';
import { Heap } from '../../src/heap/heap.js';
import { EXTENT_MASK, root } from '../../src/heap/layout.js';
import { Place } from '../../src/heap/place.js';
import '../../src/queues/contents.js';
import { errorCode } from '../../src/os/index.js';
import { body, bodyType, channel, QUEUE_WORDS } from '../../src/queues/layout.js';
import { createQueue, QueueStore } from '../../src/queues/store.js';
import { randomHex } from '../../src/shared-memory/internal.js';
import { prepare } from '../../src/values/internal.js';
import { isSwept } from '../support/killing.js';
import { randomFrom, seedOf } from '../support/random.js';

const ROUNDS = Number(process.env['ROUNDS'] ?? 60);
const OPERATIONS = 12;

test('fuzzed words in bodies, chunks and items', async (context) => {
  const seed = seedOf();
  const random = randomFrom(seed);
  context.diagnostic(`SEED=${seed}`);
  const failures = new Map<string, number>();
  for (let round = 0; round < ROUNDS; round++) {
    const heap = Heap.join(randomHex(16), true)!;
    const at = createQueue(heap, { type: bodyType.joinable, maxsize: 0 });
    const store = new QueueStore(new Place(heap, at));
    const put = (value: unknown) => {
      const prepared = prepare(heap, value);
      try {
        store.tryPut(prepared);
      } finally {
        prepared.release();
      }
    };
    for (const value of [1, 'x'.repeat(50), 'y'.repeat(3000), new Uint8Array(70_000), { a: 1 }, 2]) put(value);
    const lease = store.tryLease();
    const block = heap.memory.load(at.address + root.a);
    const chunk = heap.memory.load(block + body.channel + channel.headChunk);
    for (let i = 0; i < 1 + random() * 4; i++) {
      const where = random() < 0.5 ? block + Math.floor(random() * QUEUE_WORDS) : chunk + Math.floor(random() * 40);
      const known = [0, 1, -1, block, chunk, at.address, where, Math.floor(random() * 2 ** 32), 0x7fff_ffff];
      heap.memory.at(where)[where & EXTENT_MASK] = known[Math.floor(random() * known.length)]! | 0;
    }
    const operations: (() => unknown)[] = [
      () => put('another'),
      () => put('z'.repeat(2000)),
      () => store.tryTake(),
      () => store.tryLease(),
      () => store.taskDone(),
      () => store.tryJoin(),
      () => store.size,
      () => store.end(),
      () => (lease as { ack(): void }).ack(),
      () => store.seemsWorthTaking(),
      () => heap.release(at.address),
      () => heap.bury(100),
    ];
    const start = performance.now();
    for (let i = 0; i < OPERATIONS; i++) {
      const operation = i < OPERATIONS - 2 ? operations[Math.floor(random() * 10)]! : operations[i]!;
      try {
        operation();
      } catch (error) {
        // A fuzzed value may decode to nothing that the codec knows; a system error is one of a file that is not there.
        const fine =
          error instanceof MultiprocessError || error instanceof RangeError || errorCode(error) !== undefined;
        assert.ok(fine, `${(error as Error).stack}`);
        const name = (error as Error).name;
        failures.set(name, (failures.get(name) ?? 0) + 1);
      }
    }
    assert.ok(performance.now() - start < 10_000, 'a loop without an end, nearly');
    try {
      heap.leave();
    } catch (error) {
      assert.ok(error instanceof MultiprocessError, `${error}`);
    }
    await isSwept(heap.id);
  }
  context.diagnostic(JSON.stringify([...failures]));
  assert.ok(failures.size > 0);
});
