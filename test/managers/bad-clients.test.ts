// Clients that say what no client says, to a manager's Unix socket: they are cut off or refused, and others notice nothing.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, beforeEach, test } from 'node:test';
import { handleOf, type Remote } from 'multiprocess';
import { decode, encode } from '../../src/codec/internal.js';
import { type Frame, FrameReader, makeFrame } from '../../src/managers/frames.js';
import { answer, ask } from '../../src/managers/protocol.js';
import { type Counter, CounterManager } from '../programs/manager-targets.js';
import { leavesNothingIn } from '../support/manager-heap.js';
import { randomFrom, seedOf } from '../support/random.js';

const manager = new CounterManager();
let counter: Remote<Counter>;
before(async () => {
  await manager.start();
  counter = await manager.Counter();
});
after(() => manager.shutdown());
let counted = 0;
beforeEach(async () => {
  counted += 1;
  assert.equal(await counter.increment(), counted, 'the server is as it was');
});

/** A client that says what it is told to. */
class RawClient {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  readonly #frames: Frame[] = [];
  #arrived: () => void = () => {};

  private constructor(socket: Socket) {
    this.socket = socket.on('error', () => {});
    this.closed = once(socket, 'close');
    const reader = new FrameReader();
    socket.on('data', (chunk) => {
      reader.read(chunk, (frame) => this.#frames.push(frame));
      this.#arrived();
    });
  }

  static async connect(): Promise<RawClient> {
    const client = new RawClient(connect(manager.address));
    assert.equal((await client.frame()).kind, answer.greeting);
    return client;
  }

  async frame(): Promise<Frame> {
    while (this.#frames.length === 0) {
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
    }
    return this.#frames.shift()!;
  }

  async request(kind: number, operands: unknown): Promise<Frame> {
    this.socket.write(makeFrame({ id: 7, kind, payload: encode(operands).bytes }));
    return this.frame();
  }
}

async function isRefused(frame: Frame | Promise<Frame>, message?: RegExp): Promise<void> {
  const { kind, payload } = await frame;
  assert.equal(kind, answer.refused);
  const error = decode(payload);
  assert.ok(error instanceof Error);
  if (message !== undefined) assert.match(error.message, message);
}

test('bytes that are no frames end the connection', { timeout: 30_000 }, async () => {
  const length = (bytes: number) => {
    const prefix = Buffer.alloc(64);
    prefix.writeUInt32LE(bytes);
    return prefix;
  };
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'),
    length(0xffff_ffff),
    length(256 * 1024 * 1024 + 1),
    length(4),
    length(0),
  ]) {
    const client = await RawClient.connect();
    client.socket.write(bytes);
    await client.closed;
  }
});

test('random bytes', { timeout: 30_000 }, async (context) => {
  const seed = seedOf();
  context.diagnostic(`SEED=${seed}`);
  const random = randomFrom(seed);
  for (let round = 0; round < 100; round++) {
    const client = await RawClient.connect();
    const payload = Buffer.from(Array.from({ length: Math.floor(random() * 200) }, () => random() * 256));
    const kinds = Object.values(ask).filter((kind) => kind !== ask.shutdown && kind !== ask.taken);
    const kind = kinds[Math.floor(random() * kinds.length)]!;
    client.socket.write(makeFrame({ id: 1, kind, payload }));
    await isRefused(client.frame());
    client.socket.destroy();
  }
});

test('requests that make no sense are refused, and the connection goes on', { timeout: 30_000 }, async () => {
  const client = await RawClient.connect();
  await isRefused(client.request(99, []), /no request of kind 99/);
  await isRefused(client.request(ask.create, ['Nothing', []]), /No type is registered/);
  await isRefused(client.request(ask.create, ['constructor', []]), /No type is registered/);
  await isRefused(client.request(ask.call, ['no', 'place', 'increment', []]));
  await isRefused(client.request(ask.call, [7, 8, {}, null]));
  await isRefused(
    client.request(ask.register, ['Other', { url: 'file:///nowhere.js', exportName: 'x' }, undefined]).then((frame) => {
      assert.equal(frame.kind, answer.thrown); // importing a module is running what others have written
      return { ...frame, kind: answer.refused, payload: encode(new Error('thrown')).bytes };
    }),
  );
  for (const operands of [undefined, null, 5, 'text', {}]) await isRefused(client.request(ask.create, operands));
  // A stream that is not there is at its end.
  assert.deepEqual(decode((await client.request(ask.next, [12345])).payload), [true, undefined]);
  const [address, serial] = handleOf(counter)
    .split(':')
    .slice(4, 6)
    .map((text) => Number.parseInt(text, 36));
  await isRefused(client.request(ask.call, [address, serial, '_hidden', []]), /not exposed/);
  await isRefused(client.request(ask.call, [address, serial, '__proto__', []]), /not exposed/);
  assert.equal(decode((await client.request(ask.call, [address, serial, 'increment', [0]])).payload), counted);
  client.socket.destroy();
});

test('connections that end in the middle, or say nothing, leave nothing', { timeout: 60_000 }, async () => {
  await leavesNothingIn(manager, async () => {
    const frame = makeFrame({ id: 1, kind: ask.create, payload: encode(['Counter', [1]]).bytes });
    for (let cut = 0; cut <= frame.length; cut += 7) {
      const client = await RawClient.connect();
      client.socket.end(frame.subarray(0, cut));
      await client.closed;
    }
    // Its answer is not taken.
    const client = await RawClient.connect();
    assert.equal((await client.request(ask.create, ['Counter', [1]])).kind, answer.held);
    client.socket.destroy();
    const silent = await Promise.all(Array.from({ length: 1000 }, () => RawClient.connect()));
    assert.equal(await counter.increment(0), counted);
    for (const { socket } of silent) socket.destroy();
    assert.equal(await counter.increment(0), counted);
  });
});
