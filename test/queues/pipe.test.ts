import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { inspect } from 'node:util';
import {
  Connection,
  handleOf,
  Lock,
  open,
  Pipe,
  Process,
  Queue,
  RawArray,
  SharedMemory,
  toMessage,
} from 'multiprocess';
import '../../src/queues/contents.js';
import * as targets from '../programs/queue-targets.js';
import { hasCode } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { leavesNothing } from '../support/leaves-nothing.js';

const isEmpty = hasCode('ERR_MULTIPROCESS_QUEUE_EMPTY');
const isOver = hasCode('ERR_MULTIPROCESS_QUEUE_CLOSED');
const isClosed = hasCode('ERR_MULTIPROCESS_CLOSED');
const isStale = hasCode('ERR_MULTIPROCESS_STALE_HANDLE');
const isValue = hasCode('ERR_MULTIPROCESS_VALUE');

describe('as in CPython (_TestConnection, _TestPoll)', () => {
  test('values and bytes to a child and back, and the end when it is closed (test_connection)', async () => {
    const [here, there] = Pipe();
    const child = new Process({ target: targets.reflect, args: [there] });
    child.start();
    there.close();
    const values = [1, 'text', [1, 2.5, null], { a: 1 }, new Uint8Array(20 * 1024 * 1024).fill(3)];
    for (const value of values) {
      await here.send(value);
      assert.deepEqual(await here.recv(), value);
    }
    await here.sendBytes(new Uint8Array([1, 2, 3]));
    assert.deepEqual(await here.recvBytes(), new Uint8Array([1, 2, 3]));
    assert.equal(await here.poll(), false);
    const since = performance.now();
    assert.equal(await here.poll({ timeout: 50 }), false);
    assert.ok(performance.now() - since >= 49);
    await here.send('x');
    assert.equal(await here.poll({ timeout: 5000 }), true);
    assert.equal(here.recvSync(), 'x');
    here.close();
    assert.equal(await child.result(), 'over');
  });

  test('one way: who may send and who may receive (test_duplex_false)', async () => {
    const [reader, writer] = Pipe(false);
    await writer.send(1);
    assert.equal(await reader.recv(), 1);
    assert.deepEqual([reader.readable, reader.writable], [true, false]);
    assert.deepEqual([writer.readable, writer.writable], [false, true]);
    await assert.rejects(reader.send(2), isValue);
    assert.throws(() => reader.sendSync(2), isValue);
    await assert.rejects(reader.sendBytes(new Uint8Array(1)), isValue);
    await assert.rejects(writer.recv(), isValue);
    assert.throws(() => writer.recvSync(), isValue);
    await assert.rejects(writer.recvBytes(), isValue);
    await assert.rejects(writer.poll(), isValue);
    await assert.rejects(async () => {
      for await (const _ of writer);
    }, isValue);
  });

  test('a child starts with an end that its parent closes at once (test_spawn_close)', async () => {
    const [here, there] = Pipe();
    const child = new Process({ target: targets.reflect, args: [there] });
    child.start();
    there.close();
    await here.sendBytes(Buffer.from('hello'));
    assert.deepEqual(await here.recvBytes(), new Uint8Array(Buffer.from('hello')));
    here.close();
    await child.join();
  });

  test('bytes of any length, and at most so many (test_sendbytes, as far as it translates)', async () => {
    const [one, other] = Pipe();
    for (const length of [0, 1, 8, 9, 1024, 65_536, 65_537, 1_000_000]) {
      const bytes = new Uint8Array(length).fill(length);
      await one.sendBytes(bytes);
      assert.deepEqual(await other.recvBytes({ maxLength: length }), bytes);
    }
    await one.sendBytes(new Uint8Array(5));
    await assert.rejects(other.recvBytes({ maxLength: 4 }), RangeError);
    await one.send('text');
    await assert.rejects(other.recvBytes(), TypeError);
    await assert.rejects(one.sendBytes('x' as never), TypeError);
    await assert.rejects(one.sendBytes(new Uint16Array(1) as never), TypeError);
    for (const maxLength of [-1, Number.NaN]) await assert.rejects(other.recvBytes({ maxLength }), RangeError);
    await assert.rejects(other.recvBytes({ maxLength: '1' as never }), TypeError);
    // A copy, also of shared memory.
    using block = SharedMemory.create(4);
    await one.sendBytes(block.buf);
    const copy = await other.recvBytes();
    copy[0] = 1;
    assert.equal(block.buf[0], 0);
    const raw = RawArray('B', 4);
    await one.sendBytes(raw);
    assert.deepEqual(await other.recvBytes(), new Uint8Array(4));
    // But send passes it on.
    await one.send(raw);
    ((await other.recv()) as Uint8Array)[0] = 7;
    assert.equal(raw[0], 7);
  });

  test('an empty message counts (_TestPoll.test_empty_string, test_strings)', async () => {
    const [one, other] = Pipe();
    assert.equal(await one.poll(), false);
    await other.sendBytes(new Uint8Array(0));
    assert.equal(await one.poll(), true);
    assert.equal(await one.poll(), true);
    for (const text of ['hello', '', 'a', 'b', '', 'bye', '', 'lop']) await other.sendBytes(Buffer.from(text));
    for (const text of ['', 'hello', '', 'a', 'b', '', 'bye', '', 'lop']) {
      assert.equal(await one.poll({ timeout: 10 }), true);
      assert.equal(Buffer.from(await one.recvBytes()).toString(), text);
    }
    assert.equal(await one.poll(), false);
  });

  test('closed with `using` (test_context)', async () => {
    const [one, other] = Pipe();
    one[Symbol.dispose]();
    assert.equal(one.closed, true);
    assert.equal(other.closed, false);
    for (const use of [
      () => one.send(1),
      () => one.recv(),
      () => one.poll(),
      () => one.sendBytes(new Uint8Array(1)),
      () => one.recvBytes(),
      async () => one.sendSync(1),
      async () => one.recvSync(),
      async () => one.handle,
      async () => toMessage(one),
    ]) {
      await assert.rejects(use, isClosed);
    }
    await assert.rejects(other.recv(), isOver);
  });
});

describe('Pipe', () => {
  test('what was sent is received, then it is over: closed, exited, killed', async () => {
    const [here, there] = Pipe();
    const child = new Process({ target: targets.sendAndDie, args: [there] });
    child.start();
    there.close();
    const values: unknown[] = [];
    for await (const value of here) values.push(value);
    assert.deepEqual(values, ['last words']);
    await assert.rejects(here.recv(), isOver);
    assert.throws(() => here.recvSync({ timeout: 5 }), isOver);
    assert.equal(await here.poll(), true);
    await assert.rejects(here.send(1), isOver);
    assert.throws(() => here.sendSync(1), isOver);
  });

  for (const how of ['async', 'sync'] as const) {
    test(`somebody who waits hears that the other end's process was killed (${how})`, async () => {
      const [here, there] = Pipe();
      const child = new Process({ target: targets.stay, args: [there] });
      child.start();
      there.close();
      await delay(200);
      const since = performance.now();
      if (how === 'async') {
        setTimeout(() => child.kill(), 100);
        await assert.rejects(here.recv(), isOver);
      } else {
        child.kill();
        assert.throws(() => here.recvSync(), isOver);
      }
      assert.ok(performance.now() - since < 2000);
      await child.join();
    });
  }

  test('an end that two processes have ends with the last of them', async () => {
    const [here, there] = Pipe();
    const children = [0, 1].map(() => new Process({ target: targets.stay, args: [there] }));
    for (const child of children) child.start();
    there.close();
    children[0]!.kill();
    await children[0]!.join();
    await assert.rejects(here.recv({ timeout: 300 }), isEmpty);
    await here.send(1);
    children[1]!.kill();
    await assert.rejects(here.recv(), isOver);
  });

  test('an end on its way, in a queue or a value, is somebody’s', async () => {
    const [here, there] = Pipe();
    const queue = new Queue();
    await queue.put({ end: there });
    there.close();
    await collectGarbage();
    await here.send('hello');
    assert.equal(await here.poll(), false);
    const { end } = (await queue.get()) as { end: Connection };
    assert.equal(await end.recv(), 'hello');
    await queue.put(end);
    end.close();
    queue.dispose();
    await assert.rejects(here.recv(), isOver);
  });

  test('an end that nobody can reach any more is over', async () => {
    const here = (() => Pipe()[0])();
    const waiting = assert.rejects(here.recv(), isOver);
    for (let i = 0; i < 5; i++) {
      await collectGarbage();
      await delay(10);
    }
    await waiting;
  });

  test('timeouts, signals, and bad options', async () => {
    const [one, other] = Pipe();
    await assert.rejects(one.recv({ timeout: 0 }), isEmpty);
    await assert.rejects(one.recv({ timeout: -1 }), isEmpty);
    assert.throws(() => one.recvSync({ timeout: 20 }), isEmpty);
    await assert.rejects(one.recv({ timeout: Number.NaN }), RangeError);
    await assert.rejects(one.poll({ timeout: Number.NaN }), RangeError);
    assert.throws(() => one.recvSync({ timeout: '1' as never }), TypeError);
    const reason = new Error('enough');
    await assert.rejects(one.recv({ signal: AbortSignal.abort(reason) }), reason);
    const controller = new AbortController();
    const waiting = one.recv({ signal: controller.signal });
    const next = one.recv();
    controller.abort(reason);
    await assert.rejects(waiting, reason);
    await other.send(1);
    assert.equal(await next, 1);
    await assert.rejects(
      one.send(() => {}),
      hasCode('ERR_MULTIPROCESS_NOT_SHAREABLE'),
    );
    for (const wrong of [1, 'yes', null]) assert.throws(() => Pipe(wrong as never), TypeError);
  });

  test('handles, inspection, JSON', () => {
    const [one, other] = Pipe();
    assert.equal(open(handleOf(one)), one);
    assert.equal(open(other.handle, Connection), other);
    assert.notEqual(one.handle, other.handle);
    assert.ok(one instanceof Connection);
    one.sendSync(1);
    assert.match(inspect(other), /^Connection \{ 1 to receive \}$/);
    assert.throws(() => JSON.stringify(one), TypeError);
    const queue = new Queue();
    assert.throws(() => open(queue.handle.replace('queue', 'connection')), isValue);
    assert.throws(() => open(one.handle.replace('connection', 'queue')), isValue);
    assert.throws(() => open(one.handle.replace('connection', 'lock')), isValue);
    const { handle } = other;
    other.close();
    assert.match(inspect(other), /closed/);
    assert.throws(() => open(handle), isStale);
  });

  test('disposed of: that end is over for all who have it', async () => {
    const [one, other] = Pipe();
    await other.send(new Lock());
    const waiting = assert.rejects(other.recv(), isOver);
    const own = assert.rejects(
      one.recv().then(() => one.recv()),
      isStale,
    );
    await delay(20);
    one.dispose();
    await Promise.all([waiting, own]);
    await assert.rejects(one.send(1), isStale);
    await assert.rejects(other.send(1), isOver);
    assert.match(inspect(one), /disposed/);
    one.close();
  });

  test('nothing is left of it', async () => {
    Pipe(); // there is a heap
    await leavesNothing(async () => {
      for (let i = 0; i < 10; i++) {
        const [one, other] = Pipe();
        await one.send(new Lock());
        await other.send([one, other]);
        await one.sendBytes(new Uint8Array(100_000));
        await other.recv();
        await one.recv();
        one.close();
        if (i % 2 === 0) other.close();
      }
    });
  });
});
