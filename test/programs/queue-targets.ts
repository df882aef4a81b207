// What the processes do that the tests of queues and pipes start.
import { setTimeout as delay } from 'node:timers/promises';
import { Connection, JoinableQueue, Queue, SimpleQueue } from 'multiprocess';
import { hasCode } from '../support/errors.js';
import { History } from '../support/history.js';
import { line } from '../support/models.js';
import { randomFrom } from '../support/random.js';

/** Puts so many items, each with who put it and its number, and exits at once. */
export function produce(queue: Queue, who: number, count: number): void {
  for (let number = 0; number < count; number++) queue.putSync([who, number]);
}

export async function produceAwaiting(queue: Queue, who: number, count: number): Promise<void> {
  for (let number = 0; number < count; number++) await queue.put([who, number]);
}

/** Takes until the queue has been ended. */
export async function consume(queue: Queue): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of queue) items.push(item);
  return items;
}

export function consumeBlocking(queue: Queue): unknown[] {
  const items: unknown[] = [];
  for (;;) {
    try {
      items.push(queue.getSync());
    } catch (error) {
      if ((error as { code?: string }).code !== 'ERR_MULTIPROCESS_QUEUE_CLOSED') throw error;
      return items;
    }
  }
}

/** Sends back what it gets, until it gets null. */
export async function echo(requests: Queue, answers: Queue): Promise<void> {
  for (let item = await requests.get(); item !== null; item = await requests.get()) await answers.put(item);
}

/** A clock that all processes have in common, in ms. */
export const clock = () => Number(process.hrtime.bigint()) / 1e6;

/** How a wait ends, by the error's code, and when. */
export async function outcomeOf(queue: Queue, started: Queue, what: 'get' | 'put' | 'getSync' | 'putSync') {
  started.putSync('waits');
  let outcome: string | undefined = 'done';
  try {
    await (what === 'get' || what === 'getSync' ? queue[what]() : queue[what](1));
  } catch (error) {
    outcome = (error as { code?: string }).code;
  }
  return { outcome, at: clock() };
}

/** Takes items with leases, and stays. */
export async function leaseAndStay(queue: Queue, count: number, told: Queue): Promise<void> {
  const leases = [];
  for (let i = 0; i < count; i++) leases.push(await queue.get({ lease: true }));
  await told.put(leases.map(({ deliveries }) => deliveries));
  await delay(100_000);
  console.log(leases.length);
}

/** Takes an item with a lease, and exits in an orderly way. */
export async function leaseAndExit(queue: Queue): Promise<void> {
  await queue.get({ lease: true });
}

/** Takes items without a lease, and stays. */
export async function takeAndStay(queue: Queue, count: number, told: Queue): Promise<void> {
  for (let i = 0; i < count; i++) await queue.get();
  await told.put('taken');
  await delay(100_000);
}

/** CPython's worker of test_task_done. */
export async function work(queue: JoinableQueue): Promise<void> {
  for (;;) {
    const item = await queue.get();
    if (item === null) return;
    await delay(10);
    queue.taskDone();
  }
}

export function kinds(queue: unknown): string[] {
  return [Queue, JoinableQueue, SimpleQueue, Connection]
    .filter((kind) => queue instanceof kind)
    .map(({ name }) => name);
}

/** Sends everything back until the other end is gone. */
export async function reflect(connection: Connection): Promise<string> {
  for await (const value of connection) await connection.send(value);
  return 'over';
}

export function sendAndDie(connection: Connection): void {
  connection.sendSync('last words');
  process.kill(process.pid, 'SIGKILL');
}

export async function stay(...args: unknown[]): Promise<void> {
  await delay(100_000);
  console.log(args.length);
}

export function makesAndReturns(): Queue {
  const queue = new Queue<string>();
  queue.putSync('made by a child');
  return queue;
}

/** Puts and takes at random, and writes down what it did. */
export async function recordHistory(
  queue: Queue<number>,
  log: Float64Array,
  seed: number,
  ready: Int32Array,
  parties: number,
): Promise<void> {
  const history = new History(log);
  const random = randomFrom(seed);
  const full = hasCode('ERR_MULTIPROCESS_QUEUE_FULL');
  const empty = hasCode('ERR_MULTIPROCESS_QUEUE_EMPTY');
  const options = { timeout: 2 };
  /** 0 when it was put, 1 when there was no room. */
  const outcome = (error?: unknown) => {
    if (error !== undefined && !full(error)) throw error;
    return Number(error !== undefined);
  };
  const nothing = (error: unknown) => {
    if (!empty(error)) throw error;
    return 0;
  };
  Atomics.add(ready, 0, 1);
  while (Atomics.load(ready, 0) < parties);
  for (let i = 1; !history.isFull; i++) {
    const value = seed * 100_000 + i;
    const way = random();
    if (random() < 0.5) {
      if (way < 0.1) {
        await history.recordAsync(line.append, 0, value, () => queue.put(value, options).then(() => 0, outcome));
      } else if (way < 0.3) {
        history.record(line.append, 0, value, () => {
          try {
            queue.putSync(value, options);
            return 0;
          } catch (error) {
            return outcome(error);
          }
        });
      } else history.record(line.append, 0, value, () => Number(!queue.tryPut(value)));
    } else if (way < 0.1) {
      await history.recordAsync(line.takeFirst, 0, 0, () => queue.get(options).catch(nothing));
    } else if (way < 0.3) {
      history.record(line.takeFirst, 0, 0, () => {
        try {
          return queue.getSync(options);
        } catch (error) {
          return nothing(error);
        }
      });
    } else history.record(line.takeFirst, 0, 0, () => queue.tryGet()?.value ?? 0);
  }
}
