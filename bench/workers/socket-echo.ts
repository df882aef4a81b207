import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlockingSocket } from '../../src/os/index.js';
import { oneByOne, pipelined } from '../harness/one-by-one.js';
import { check, secondsSince, serve } from '../harness/serve.js';

// node socket-echo.js awaited|blocking|<how many under way>: what a call to another process takes at the least, with nothing
// but as many bytes as the request and the answer of one have.
const MESSAGE = Buffer.alloc(64);
const folder = mkdtempSync(join(tmpdir(), 'multiprocess-echo-'));
const path = join(folder, 'socket');
const server = fork(fileURLToPath(new URL('../targets/socket-echo.js', import.meta.url)), [path]);
await once(server, 'message');
const how = process.argv[2]!;

if (how === 'blocking') {
  const socket = new BlockingSocket(path);
  await serve((count) => {
    const start = performance.now();
    for (let i = 0; i < count; i++) {
      socket.send(MESSAGE);
      for (let missing = MESSAGE.length; missing > 0; ) missing -= (socket.receive() as Uint8Array).length;
    }
    return secondsSince(start);
  });
  socket.close();
} else {
  const socket = connect(path);
  await once(socket, 'connect');
  // Who asks waits for his own answer, as whoever calls something does.
  const askers: (() => void)[] = [];
  let arrived = 0;
  socket.on('data', (chunk) => {
    for (arrived += chunk.length; arrived >= MESSAGE.length; arrived -= MESSAGE.length) askers.shift()!();
  });
  const echo = () =>
    new Promise<void>((resolve) => {
      askers.push(resolve);
      socket.write(MESSAGE);
    });
  const call = async () => check((await echo()) === undefined, 'another answer came');
  await serve((count) => (how === 'awaited' ? oneByOne(call, count) : pipelined(call, count, Number(how))));
  socket.destroy();
}
server.disconnect();
rmSync(folder, { recursive: true, force: true });
