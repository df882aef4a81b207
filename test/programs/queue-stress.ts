// What each process of test/queues/random-kills.test.ts does until it is told to stop, or dies.
import type { JoinableQueue, Lease, Queue } from 'multiprocess';

/** What all of them share. */
export interface World {
  /** From producers to consumers: [producer, number], and now and then more with it. */
  readonly plain: Queue;
  readonly leased: Queue;
  readonly joinable: JoinableQueue;
  readonly flags: Int32Array;
}

/** From `works` on: whether the child of each place has begun to work. */
export const flag = { stop: 0, works: 1 } as const;
/** What a producer has put, and for each queue the number that it puts next. */
export const QUEUES = ['plain', 'leased', 'joinable'] as const;
/** How many items each producer may put into each queue. */
export const MOST_ITEMS = 1 << 16;

const stopped = ({ flags }: World) => Atomics.load(flags, flag.stop) !== 0;
const turn = () => new Promise((resolve) => setImmediate(resolve));
const isEmpty = (error: unknown) => (error as { code?: string }).code === 'ERR_MULTIPROCESS_QUEUE_EMPTY';
const isFull = (error: unknown) => (error as { code?: string }).code === 'ERR_MULTIPROCESS_QUEUE_FULL';
const WAIT_MS = 50;

/** An item: who put it, its number, and something of any size. */
function itemOf(who: number, number: number): unknown[] {
  const item: unknown[] = [who, number];
  if (number % 7 === 0) item.push('x'.repeat(number % 3000));
  if (number % 501 === 0) item.push(new Uint8Array(70_000));
  return item;
}

/**
 * Puts items, each noted as begun before and as put after.
 *
 * @param begun for each queue, how many items this producer has begun to put; `put` how many it knows to be there.
 */
export async function produce(
  world: World,
  place: number,
  who: number,
  begun: Int32Array,
  put: Int32Array,
): Promise<string> {
  Atomics.store(world.flags, flag.works + place, 1);
  for (let round = 0; !stopped(world); round++) {
    const at = round % QUEUES.length;
    const queue: Queue = world[QUEUES[at]!];
    const number = Atomics.load(begun, at);
    if (number >= MOST_ITEMS) return 'well';
    Atomics.store(begun, at, number + 1);
    const item = itemOf(who, number);
    for (;;) {
      try {
        if (round % 5 === 0) await queue.put(item, { timeout: WAIT_MS });
        else queue.putSync(item, { timeout: WAIT_MS });
        Atomics.add(put, at, 1);
        break;
      } catch (error) {
        if (!isFull(error)) throw error;
        if (stopped(world)) return 'well';
      }
    }
    if (round % 64 === 0) await turn();
  }
  return 'well';
}

/** Marks each item that it has taken. What was marked once must not come again, unless it was leased. */
export async function consume(world: World, place: number, marks: readonly Int32Array[]): Promise<string> {
  Atomics.store(world.flags, flag.works + place, 1);
  const mark = (at: number, item: unknown): number => {
    const [who, number] = item as [number, number];
    return Atomics.add(marks[at]!, who * MOST_ITEMS + number, 1);
  };
  for (let round = 0; !stopped(world); round++) {
    const at = round % QUEUES.length;
    const queue: Queue = world[QUEUES[at]!];
    const awaits = round % 5 === 0;
    try {
      if (QUEUES[at] === 'leased' || (QUEUES[at] === 'joinable' && round % 2 === 0)) {
        const options = { lease: true, timeout: WAIT_MS } as const;
        const lease: Lease<unknown> = awaits ? await queue.get(options) : queue.getSync(options);
        if (round % 11 === 0) {
          lease.giveBack();
          continue;
        }
        // Acknowledged items never come again, so each is marked at most once more than it was delivered before.
        const before = mark(at, lease.value);
        if (before >= lease.deliveries) return `marked ${before} times, delivered ${lease.deliveries} times`;
        lease.ack();
      } else {
        const item = awaits ? await queue.get({ timeout: WAIT_MS }) : queue.getSync({ timeout: WAIT_MS });
        if (mark(at, item) > 0 && QUEUES[at] === 'plain') return `${(item as unknown[]).slice(0, 2)} came twice`;
        if (QUEUES[at] === 'joinable') world.joinable.taskDone();
      }
    } catch (error) {
      if (!isEmpty(error)) throw error;
    }
    if (round % 64 === 0) await turn();
  }
  return 'well';
}
