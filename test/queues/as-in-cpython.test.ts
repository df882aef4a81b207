// The behaviours of CPython's tests of queues and connections, and where they are tested here.
//
//   _TestQueue
//     test_put                              'put' here, and in queue.test.ts
//     test_get                              'get' here, and in queue.test.ts
//     test_fork                             'fork' here: there is no feeder thread; and in queue.test.ts
//     test_qsize                            queue.test.ts
//     test_task_done                        joinable-queue.test.ts, 'workers take items…'
//     test_no_import_lock_contention        'import lock' here
//     test_timeout                          queue.test.ts, 'get: in order, then Empty, in time'
//     test_queue_feeder_donot_stop_onexc    queue.test.ts, 'what cannot travel…': an error at put, at once
//     test_queue_feeder_on_queue_feeder_error   does not translate: there is no feeder, put itself throws
//     test_closed_queue_empty_exceptions    queue.test.ts, 'closed: every use says so', used before or not
//     test_closed_queue_put_get_exceptions  the same
//   TestSimpleQueue
//     test_empty                            'SimpleQueue: empty' here, and in joinable-queue.test.ts
//     test_empty_exceptions, test_close, test_closed   joinable-queue.test.ts, 'closed: every use says so'
//   _TestConnection
//     test_connection                       'connection' here, and in pipe.test.ts. There is no recv_bytes_into; a message that is
//                                           longer than `maxLength` is a RangeError: pipe.test.ts, 'bytes of any length'
//     test_duplex_false, test_spawn_close   pipe.test.ts
//     test_sendbytes                        'sendbytes' here: parts are subarrays, so their bounds are the array's business
//     test_fd_transfer, test_large_fd_transfer, test_missing_fd_transfer   do not translate: Node passes no descriptors
//     test_context                          'context' here, and in pipe.test.ts
//   _TestPoll
//     test_empty_string                     pipe.test.ts
//     test_strings, test_boundaries, test_dont_merge   'poll' here
//   TestWait (there is no `connection.wait`: one awaits several promises)
//     test_wait, test_wait_slow             'wait' here
//     test_wait_timeout, test_neg_timeout   pipe.test.ts, 'timeouts, signals, and bad options'
//     test_wait_socket, test_wait_socket_slow, test_wait_integer   do not translate: Node has its own ways to await those
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Event, Pipe, Process, Queue, SimpleQueue } from 'multiprocess';
import * as targets from '../programs/parity-targets.js';
import { hasCode } from '../support/errors.js';

const isEmpty = hasCode('ERR_MULTIPROCESS_QUEUE_EMPTY');
const isFull = hasCode('ERR_MULTIPROCESS_QUEUE_FULL');
const isOver = hasCode('ERR_MULTIPROCESS_QUEUE_CLOSED');
const isClosed = hasCode('ERR_MULTIPROCESS_CLOSED');

const PATIENCE = { timeout: 20_000 };

function begin<A extends unknown[], R>(target: (...args: A) => R | Promise<R>, ...args: A): Process<A, R> {
  const child = new Process({ target, args } as never) as unknown as Process<A, R>;
  child.start();
  return child;
}

const bytes = (text: string) => new Uint8Array(Buffer.from(text));
const textOf = (message: Uint8Array) => Buffer.from(message).toString();

describe('queues', () => {
  test('put: full for those who put, until a child has taken all', async () => {
    const queue = new Queue<number>(6);
    const [mayStart, goOn] = [new Event(), new Event()];
    const child = begin(targets.takeSix, queue, mayStart, goOn);
    for (let n = 1; n <= 6; n++) await queue.put(n);
    assert.equal(queue.full(), true);
    await assert.rejects(queue.put(7, { timeout: 10 }), isFull);
    const late = queue.put(7, PATIENCE);
    mayStart.set();
    assert.equal(await goOn.wait(PATIENCE), true);
    await late;
    assert.deepEqual(await child.result(), [1, 2, 3, 4, 5, 6]);
    assert.deepEqual([queue.full(), queue.qsize(), await queue.get()], [false, 1, 7]);
    assert.equal(queue.empty(), true);
  });

  test('get: what a child has put is there when it says so', async () => {
    const queue = new Queue<number>();
    const [mayStart, goOn] = [new Event(), new Event()];
    const child = begin(targets.putFour, queue, mayStart, goOn);
    assert.equal(queue.empty(), true);
    mayStart.set();
    assert.equal(await goOn.wait(PATIENCE), true);
    assert.equal(queue.empty(), false);
    assert.deepEqual(
      [queue.getSync(), await queue.get(), await queue.get({ timeout: 1 }), queue.tryGet()],
      [2, 3, 4, { value: 5 }],
    );
    await assert.rejects(queue.get({ timeout: 0 }), isEmpty);
    await child.join();
  });

  test('fork: what was put here comes before what a child puts that was started later', async () => {
    const queue = new Queue<number>();
    for (let n = 0; n < 10; n++) await queue.put(n);
    const child = begin(targets.putNumbers, queue, 10, 10);
    for (let n = 0; n < 20; n++) assert.equal(await queue.get(PATIENCE), n);
    assert.throws(() => queue.getSync({ timeout: 0 }), isEmpty);
    assert.equal(await child.join(), true);
  });

  test('import lock: a module that is being imported by another that is', async () => {
    const { found } = await import('../programs/imports-at-import.js');
    assert.equal(found, 'knock knock');
  });

  test('SimpleQueue: empty, as a child and its parent see it', async () => {
    const queue = new SimpleQueue<boolean>();
    const [mayStart, goOn] = [new Event(), new Event()];
    const child = begin(targets.tellWhetherEmpty, queue, mayStart, goOn);
    assert.equal(queue.empty(), true);
    mayStart.set();
    assert.equal(await goOn.wait(PATIENCE), true);
    assert.equal(queue.empty(), false);
    assert.deepEqual([await queue.get(), queue.getSync()], [true, false]);
    assert.equal(queue.empty(), true);
    assert.equal(await child.join(), true);
  });
});

describe('connections', () => {
  test('connection: bytes there and back, large ones too, and the end for both', async () => {
    const [here, there] = Pipe();
    const child = begin(targets.echoBytes, there);
    const messages = [bytes('hello world'), bytes('hello world'.repeat(10)), new Uint8Array(0)];
    messages.push(new Uint8Array(new Int32Array([0, 1, 2, 3]).buffer), new Uint8Array(16 * 2 ** 20).fill(0x58));
    for (const message of messages) {
      await here.sendBytes(message);
      assert.deepEqual(await here.recvBytes(), message);
    }
    assert.equal(await here.poll(), false);
    assert.equal(await here.poll({ timeout: -1 }), false);
    assert.deepEqual([here.readable, here.writable, there.readable, there.writable], [true, true, true, true]);
    there.close();
    child.kill();
    await child.join();
    // Its last owner has gone: over for who receives and who sends, and still readable and writable by its kind.
    await assert.rejects(here.recv(), isOver);
    await assert.rejects(here.recvBytes(), isOver);
    await assert.rejects(here.send(1), isOver);
    assert.deepEqual([here.readable, here.writable], [true, true]);
  });

  test('sendbytes: parts of an array', async () => {
    const [one, other] = Pipe();
    const message = bytes('abcdefghijklmnopqrstuvwxyz');
    for (const [from, to] of [
      [0, 26],
      [5, 26],
      [7, 15],
      [26, 26],
      [0, 0],
    ] as const) {
      await one.sendBytes(message.subarray(from, to));
      assert.equal(textOf(await other.recvBytes()), textOf(message).slice(from, to));
    }
  });

  test('context: both ends', async () => {
    const ends = Pipe();
    {
      using one = ends[0];
      using other = ends[1];
      await one.send(1729);
      assert.equal(await other.recv(), 1729);
      assert.deepEqual([one.closed, other.closed], [false, false]);
    }
    for (const end of ends) {
      assert.equal(end.closed, true);
      await assert.rejects(end.recv(), isClosed);
      assert.throws(() => end.recvSync(), isClosed);
    }
  });

  test('poll: strings, one after the other, until the child has closed its end', async () => {
    const texts = ['hello', '', 'a', 'b', '', 'bye', '', 'lop'];
    const [here, there] = Pipe();
    const child = begin(targets.sendAll, there, texts.map(bytes));
    there.close();
    for (const text of texts) {
      assert.equal(await here.poll(PATIENCE), true);
      assert.equal(textOf(await here.recvBytes()), text);
    }
    await child.join();
    await assert.rejects(here.recvBytes(), isOver);
  });

  test('poll: who only looks takes nothing, nor a part of it', async () => {
    const [reader, writer] = Pipe(false);
    const child = begin(targets.pollOnly, reader);
    for (const text of ['first', 'second']) await writer.sendBytes(bytes(text));
    assert.equal(await child.result(), true);
    writer.close();
    assert.equal(textOf(await reader.recvBytes()), 'first');
    assert.equal(textOf(await reader.recvBytes()), 'second');
    await assert.rejects(reader.recvBytes(), isOver);
  });

  test('poll: messages are not merged', async () => {
    const [here, there] = Pipe();
    assert.equal(await here.poll({ timeout: 0 }), false);
    assert.equal(await here.poll({ timeout: 10 }), false);
    const child = begin(targets.sendAll, there, ['a', 'b', 'cd'].map(bytes));
    assert.equal(textOf(await here.recvBytes()), 'a');
    for (const text of ['b', 'cd']) {
      for (const options of [PATIENCE, PATIENCE, { timeout: 0 }]) assert.equal(await here.poll(options), true);
      assert.equal(textOf(await here.recvBytes()), text);
    }
    await child.join();
  });

  test('wait: several connections at once, until all are over', async () => {
    const found: [number, number][] = [];
    const readers = await Promise.all(
      [0, 1, 2, 3].map(async (who) => {
        const [reader, writer] = Pipe(false);
        const child = begin(targets.sendNumbered, writer, who);
        writer.close();
        for await (const message of reader) found.push(message as [number, number]);
        await child.join();
        return reader;
      }),
    );
    for (const reader of readers) assert.equal(reader.closed, false);
    for (const who of [0, 1, 2, 3]) {
      const numbers = found.filter(([, from]) => from === who).map(([number]) => number);
      assert.deepEqual(numbers, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
    assert.equal(found.length, 40);
  });
});
