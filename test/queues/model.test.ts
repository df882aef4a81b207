// Sequences of operations against a model of what a queue is. More: RUNS=. Again: SEED=, as printed by a failure.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type Lease, Queue } from 'multiprocess';
import { seedOf } from '../support/random.js';

const RUNS = Number(process.env['RUNS'] ?? 60);
const MAXSIZE = 5;

interface Model {
  /** What there is to get, each with how often it has been handed out. */
  items: { value: unknown; deliveries: number }[];
  leases: { value: unknown; deliveries: number }[];
  ended: boolean;
}
interface Real {
  readonly queue: Queue;
  readonly leases: Lease<unknown>[];
}

const code = (wanted: string) => (error: unknown) => (error as { code?: string }).code === wanted;
const isClosed = code('ERR_MULTIPROCESS_QUEUE_CLOSED');
const value = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }),
  fc.string({ maxLength: 12 }),
  fc.string({ minLength: 900, maxLength: 1100 }),
  fc.uint8Array({ maxLength: 2000 }),
  fc.record({ a: fc.integer(), b: fc.string() }, { noNullPrototype: true }),
);

class Put implements fc.Command<Model, Real> {
  constructor(readonly value: unknown) {}
  check = () => true;
  run(model: Model, { queue }: Real): void {
    if (model.ended) {
      assert.throws(() => queue.tryPut(this.value), isClosed);
      return;
    }
    const hasRoom = model.items.length < MAXSIZE;
    assert.equal(queue.tryPut(this.value), hasRoom);
    if (hasRoom) model.items.push({ value: this.value, deliveries: 0 });
  }
  toString = () => `put ${fc.stringify(this.value).slice(0, 60)}`;
}

class Get implements fc.Command<Model, Real> {
  check = () => true;
  run(model: Model, { queue }: Real): void {
    if (model.ended && model.items.length === 0) {
      assert.throws(() => queue.tryGet(), isClosed);
      return;
    }
    const first = model.items.shift();
    assert.deepEqual(queue.tryGet(), first && { value: first.value });
  }
  toString = () => 'get';
}

class TakeLease implements fc.Command<Model, Real> {
  check = (model: Readonly<Model>) => model.items.length > 0;
  run(model: Model, { queue, leases }: Real): void {
    const first = model.items.shift()!;
    first.deliveries += 1;
    const lease = queue.getSync({ lease: true, timeout: 0 });
    assert.deepEqual([lease.value, lease.deliveries], [first.value, first.deliveries]);
    model.leases.push(first);
    leases.push(lease);
  }
  toString = () => 'lease';
}

class Settle implements fc.Command<Model, Real> {
  constructor(
    readonly which: number,
    readonly how: 'ack' | 'giveBack',
  ) {}
  check = (model: Readonly<Model>) => model.leases.length > 0;
  run(model: Model, { leases }: Real): void {
    const at = this.which % model.leases.length;
    const [settled] = model.leases.splice(at, 1);
    leases.splice(at, 1)[0]![this.how]();
    if (this.how === 'giveBack') model.items.unshift(settled!);
  }
  toString = () => `${this.how} ${this.which}`;
}

class End implements fc.Command<Model, Real> {
  check = () => true;
  run(model: Model, { queue }: Real): void {
    queue.end();
    model.ended = true;
  }
  toString = () => 'end';
}

class Look implements fc.Command<Model, Real> {
  check = () => true;
  run({ items }: Model, { queue }: Real): void {
    assert.equal(queue.qsize(), items.length);
    assert.equal(queue.empty(), items.length === 0);
    assert.equal(queue.full(), items.length >= MAXSIZE);
  }
  toString = () => 'look';
}

test('a queue does what its model does', (context) => {
  const seed = seedOf();
  context.diagnostic(`SEED=${seed}`);
  const put = value.map((each) => new Put(each));
  const commands = [
    put,
    put,
    put,
    fc.constant(new Get()),
    fc.constant(new Get()),
    fc.constant(new TakeLease()),
    fc.tuple(fc.nat(9), fc.constantFrom('ack' as const, 'giveBack' as const)).map(([at, how]) => new Settle(at, how)),
    fc.constant(new Look()),
    fc.nat(20).map((n) => (n === 0 ? new End() : new Look())),
  ];
  fc.assert(
    fc.property(fc.commands(commands, { maxCommands: 100, size: 'max' }), (sequence) => {
      fc.modelRun(
        () => ({
          model: { items: [], leases: [], ended: false } as Model,
          real: { queue: new Queue(MAXSIZE), leases: [] as Lease<unknown>[] },
        }),
        sequence,
      );
    }),
    { seed, numRuns: RUNS },
  );
});
