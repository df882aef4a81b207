import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BlockingSocket } from '../../src/os/index.js';
import { secondsSince, serve } from '../harness/serve.js';

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
      for (let missing = MESSAGE.length; missing > 0; ) missing -= socket.receive()!.length;
    }
    return secondsSince(start);
  });
  socket.close();
} else {
  const socket = connect(path);
  await once(socket, 'connect');
  let awaited = 0;
  let arrived: () => void = () => {};
  socket.on('data', (chunk) => {
    awaited -= chunk.length;
    if (awaited === 0) arrived();
  });
  const depth = how === 'awaited' ? 1 : Number(how);
  await serve(async (count) => {
    const start = performance.now();
    for (let done = 0; done < count; done += depth) {
      const part = Math.min(depth, count - done);
      awaited = part * MESSAGE.length;
      const answered = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      for (let i = 0; i < part; i++) socket.write(MESSAGE);
      await answered;
    }
    return secondsSince(start);
  });
  socket.destroy();
}
server.disconnect();
rmSync(folder, { recursive: true, force: true });
