// Who is let in over the network, and who is not.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { connect as connectTls, createServer as createTlsServer } from 'node:tls';
import { connect, Manager, ManagerClosedError, type SyncManager } from 'multiprocess';
import {
  CHALLENGE_BYTES,
  makeChallenge,
  makeResponse,
  makeVerdict,
  proof,
  RESPONSE_BYTES,
  readChallenge,
  readResponse,
  VERDICT_BYTES,
} from '../../src/managers/network/handshake.js';
import { certificate, certificateKey } from '../support/certificate.js';

const authkey = 'a key for the tests';
const key = Buffer.from(authkey);
const nothing = new Uint8Array(0);
const refused = { code: 'ERR_MULTIPROCESS_AUTHENTICATION' };
let manager: SyncManager;
let address: string;
let port: number;
before(async () => {
  manager = await Manager();
  address = await manager.serve('tcp://127.0.0.1:0', { authkey });
  port = Number(address.split(':').at(-1));
});
after(() => manager.shutdown());

/** All that comes until the other side ends the connection. */
class Talk {
  readonly socket: Socket;
  readonly ended: Promise<unknown>;
  #bytes: Buffer = Buffer.alloc(0);
  #came: () => void = () => {};

  constructor(socket: Socket) {
    this.socket = socket;
    this.ended = once(socket, 'close').catch(() => {});
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#bytes = Buffer.concat([this.#bytes, chunk]);
      this.#came();
    });
    socket.on('close', () => this.#came());
  }

  static async to(port: number): Promise<Talk> {
    const talk = new Talk(createConnection(port, '127.0.0.1'));
    await once(talk.socket, 'connect');
    return talk;
  }

  async read(count: number): Promise<Buffer> {
    while (this.#bytes.length < count) {
      if (this.socket.destroyed) throw new Error(`ended after ${this.#bytes.length} of ${count} bytes`);
      await new Promise<void>((resolve) => {
        this.#came = resolve;
      });
    }
    const found = this.#bytes.subarray(0, count);
    this.#bytes = this.#bytes.subarray(count);
    return found;
  }

  /** As a client that knows the key. @returns the verdict. */
  async introduce(knows: Uint8Array = key, more: Uint8Array = nothing): Promise<number> {
    const serverNonce = readChallenge(await this.read(CHALLENGE_BYTES))!;
    const clientNonce = randomBytes(32);
    const own = proof('client', { key: knows, serverNonce, clientNonce, binding: nothing });
    this.socket.write(Buffer.concat([makeResponse(clientNonce, own), more]));
    return (await this.read(VERDICT_BYTES))[0]!;
  }
}

/** The manager still lets in who knows the key. */
async function stillServes(): Promise<void> {
  await using remote = await connect(address, { authkey });
  const dict = await remote.dict<string, number>(null, { name: 'served' });
  assert.ok((await dict.increment('n')) > 0);
}

/** Somebody who listens, and is no manager. */
async function listen(talk: (talk: Talk) => void): Promise<{ server: Server; address: string }> {
  const server = createServer((socket) => talk(new Talk(socket)));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { server, address: `tcp://127.0.0.1:${(server.address() as { port: number }).port}` };
}

describe('handshakes', { concurrency: true }, () => {
  test('keys that differ, are empty, or are missing', async () => {
    for (const wrong of ['another', `${authkey} `, new Uint8Array(1)]) {
      await assert.rejects(connect(address, { authkey: wrong }), refused);
    }
    for (const missing of [{}, undefined, { authkey: '' }, { authkey: new Uint8Array(0) }]) {
      await assert.rejects(connect(address, missing), refused);
      await assert.rejects(manager.serve('tcp://127.0.0.1:0', missing as never), refused);
    }
    for (const wrong of [5, {}, true]) {
      await assert.rejects(connect(address, { authkey: wrong as never }), TypeError);
      await assert.rejects(manager.serve('tcp://127.0.0.1:0', { authkey: wrong as never }), TypeError);
    }
    await assert.rejects(connect(address, 5 as never), TypeError);
    await assert.rejects(connect(address, { authkey, tls: true as never }), TypeError);
    await assert.rejects(manager.serve('tcp://127.0.0.1:0', { authkey, tls: 5 as never }), TypeError);
    await stillServes();
  });

  test('addresses that are none', async () => {
    const bad = [
      '',
      'x',
      'http://a:1',
      'tcp://',
      'tcp://a',
      'tcp://a:b',
      'tcp://a:65536',
      'tcp://:1',
      'tcp://a:1/x',
      'tcp://a b:1',
    ];
    for (const wrong of bad) {
      await assert.rejects(connect(wrong, { authkey }), { code: 'ERR_MULTIPROCESS_VALUE' }, wrong);
      await assert.rejects(manager.serve(wrong, { authkey }), { code: 'ERR_MULTIPROCESS_VALUE' }, wrong);
    }
    await assert.rejects(connect(5 as never, { authkey }), TypeError);
    await assert.rejects(manager.serve(address, { authkey }), { code: 'EADDRINUSE' });
    const six = await manager.serve('tcp://[::1]:0', { authkey });
    assert.match(six, /^tcp:\/\/\[::1\]:\d+$/);
    await (await connect(six, { authkey })).close();
  });

  test('a server that does not know the key', async () => {
    for (const answer of ['reflected', 'made up', 'of a client', 'none'] as const) {
      const { server, address: false_ } = await listen(async (talk) => {
        const serverNonce = randomBytes(32);
        talk.socket.write(makeChallenge(serverNonce));
        const { clientNonce, proof: theirs } = readResponse(Buffer.from(await talk.read(RESPONSE_BYTES)));
        const shared = { key: Buffer.from('x'), serverNonce, clientNonce, binding: nothing };
        if (answer === 'reflected') talk.socket.write(makeVerdict(theirs));
        else if (answer === 'none') talk.socket.write(makeVerdict(undefined));
        else talk.socket.write(makeVerdict(proof(answer === 'made up' ? 'server' : 'client', shared)));
      });
      await assert.rejects(connect(false_, { authkey }), refused, answer);
      server.close();
    }
  });

  test('what is no manager at all, or goes away', async () => {
    const other = await listen((talk) => talk.socket.write(Buffer.alloc(1000)));
    await assert.rejects(connect(other.address, { authkey }), { code: 'ERR_MULTIPROCESS' });
    const ending = await listen((talk) => talk.socket.end());
    await assert.rejects(connect(ending.address, { authkey }), ManagerClosedError);
    const half = await listen((talk) => talk.socket.end(makeChallenge(randomBytes(32)).subarray(1)));
    await assert.rejects(connect(half.address, { authkey }), ManagerClosedError);
    for (const { server } of [other, ending, half]) server.close();
  });

  test('a replayed handshake', async () => {
    let said: Buffer = Buffer.alloc(0);
    const between = await listen(({ socket }) => {
      const on = createConnection(port, '127.0.0.1');
      socket.on('data', (chunk: Buffer) => {
        said = Buffer.concat([said, chunk]);
        on.write(chunk);
      });
      on.pipe(socket);
      socket.on('close', () => on.destroy());
    });
    const remote = await connect(between.address, { authkey });
    await (await remote.dict(null, { name: 'replayed' })).increment('n');
    await remote.close();
    between.server.close();
    const again = await Talk.to(port);
    again.socket.write(said);
    await again.read(CHALLENGE_BYTES);
    assert.equal((await again.read(VERDICT_BYTES))[0], 0);
    await again.ended;
    assert.equal(manager.dict<string, number>(null, { name: 'replayed' }).get('n'), 1);
  });

  test('truncated handshakes, garbage, and more than is due', async () => {
    for (const bytes of [0, 1, 32, RESPONSE_BYTES - 1]) {
      const talk = await Talk.to(port);
      await talk.read(CHALLENGE_BYTES);
      talk.socket.end(Buffer.alloc(bytes));
      await talk.ended;
    }
    for (const bytes of [RESPONSE_BYTES, RESPONSE_BYTES + 1, 100_000]) {
      const talk = await Talk.to(port);
      talk.socket.write(randomBytes(bytes));
      await talk.read(CHALLENGE_BYTES);
      await talk.ended;
    }
    const wrong = await Talk.to(port);
    assert.equal(await wrong.introduce(Buffer.from('another')), 0);
    await wrong.ended;
    const hasty = await Talk.to(port);
    assert.equal(await hasty.introduce(key, Buffer.alloc(1)), 0, 'nothing is said before the verdict');
    await hasty.ended;
    await stillServes();
  });

  test('frames that are none, of those who are in', async () => {
    for (const frame of [
      [0xff, 0xff, 0xff, 0xff],
      [4, 0, 0, 0, 0, 0, 0, 0],
      [1, 0, 0, 0x20],
    ]) {
      const talk = await Talk.to(port);
      assert.equal(await talk.introduce(), 1);
      talk.socket.write(Buffer.from(frame));
      await talk.ended;
    }
    const talk = await Talk.to(port);
    assert.equal(await talk.introduce(), 1);
    const frame = (kind: number, ...payload: number[]) =>
      Buffer.from([5 + payload.length, 0, 0, 0, 7, 0, 0, 0, kind, ...payload]);
    const [size] = await talk.read(4);
    await talk.read(size!); // the greeting
    for (const bad of [frame(1), frame(1, 9, 9, 9), frame(1, 1, 0x80), frame(77, 1, 10, 0, 0, 0, 0), frame(4, 1, 21)]) {
      talk.socket.write(bad);
      const length = (await talk.read(4)).readUInt32LE(0);
      const answer = await talk.read(length);
      assert.deepEqual([answer.readUInt32LE(0), answer[4]], [7, 6], 'refused');
    }
    talk.socket.destroy();
    const half = await Talk.to(port);
    assert.equal(await half.introduce(), 1);
    half.socket.end(); // says nothing more, and would still listen
    await half.ended;
    await stillServes();
  });

  test('who is slow, or says nothing, is not waited for', { timeout: 30_000 }, async () => {
    const silent = await Talk.to(port);
    const slow = await Talk.to(port);
    slow.socket.setNoDelay(true);
    const dripping = setInterval(() => slow.socket.write(Buffer.alloc(1)), 100);
    const start = performance.now();
    await Promise.all([silent.ended, slow.ended]);
    clearInterval(dripping);
    assert.ok(performance.now() - start < 15_000);
  });

  test('a server that says nothing is not waited for', { timeout: 30_000 }, async () => {
    const mute = await listen(() => {});
    await assert.rejects(connect(mute.address, { authkey }), { code: 'ERR_MULTIPROCESS_TIMEOUT' });
    mute.server.close();
  });

  test('TLS', async () => {
    const secure = await manager.serve('tcp://localhost:0', {
      authkey,
      tls: { cert: certificate, key: certificateKey },
    });
    const at = Number(secure.split(':').at(-1));
    const remote = await connect(secure, { authkey, tls: { ca: certificate } });
    assert.equal(await (await remote.dict([['a', 1]])).get('a'), 1);
    await remote.close();
    await assert.rejects(connect(secure, { authkey: 'another', tls: { ca: certificate } }), refused);
    await assert.rejects(connect(secure, { authkey, tls: {} }), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' });
    await assert.rejects(manager.serve('tcp://localhost:0', { authkey, tls: { key: 'x', cert: 'x' } }));
    await assert.rejects(manager.serve('tcp://localhost:0', { authkey, tls: { SNICallback: () => {} } }), {
      code: 'ERR_MULTIPROCESS_NOT_SHAREABLE',
    });

    // Somebody in between with a certificate of its own, which the client does not look at: the key tells.
    const between = createTlsServer({ cert: certificate, key: certificateKey }, (socket) => {
      const on = connectTls({ port: at, host: 'localhost', rejectUnauthorized: false });
      on.on('error', () => socket.destroy());
      socket.on('error', () => on.destroy());
      socket.pipe(on);
      on.pipe(socket);
    });
    between.listen(0, 'localhost');
    await once(between, 'listening');
    const there = `tcp://localhost:${(between.address() as { port: number }).port}`;
    await assert.rejects(connect(there, { authkey, tls: { rejectUnauthorized: false } }), refused);
    between.close();
    await (await connect(secure, { authkey, tls: { rejectUnauthorized: false } })).close();
    const plain = await Talk.to(at);
    plain.socket.write('GET / HTTP/1.1\r\n\r\n');
    await plain.ended;
  });

  test('a thousand who say nothing, and more than are waited for, keep nobody out', { timeout: 60_000 }, async () => {
    await using crowded = await Manager();
    const there = await crowded.serve('tcp://127.0.0.1:0', { authkey });
    const silent = await Promise.all(Array.from({ length: 1200 }, () => Talk.to(Number(there.split(':').at(-1)))));
    const remote = await connect(there, { authkey });
    assert.equal(await (await remote.list([1])).length(), 1);
    assert.ok(silent.filter(({ socket }) => !socket.destroyed).length <= 1100);
    for (const { socket } of silent) socket.destroy();
  });

  test('a thousand who know the key, at once', { timeout: 60_000 }, async () => {
    await using crowded = await Manager();
    const there = await crowded.serve('tcp://127.0.0.1:0', { authkey });
    const remotes = await Promise.all(Array.from({ length: 1000 }, () => connect(there, { authkey })));
    const dicts = await Promise.all(remotes.map((remote) => remote.dict<string, number>(null, { name: 'thousand' })));
    await Promise.all(dicts.map((dict) => dict.increment('n')));
    assert.equal(crowded.dict<string, number>(null, { name: 'thousand' }).get('n'), 1000);
    await Promise.all(remotes.map((remote) => remote.close()));
  });
});
