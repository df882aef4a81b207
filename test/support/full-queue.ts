import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';

/** Runs while more want to connect to a Unix socket than the kernel queues; whose server it is has to be stopped. */
export async function withFullQueue(path: string, use: () => Promise<void>): Promise<void> {
  const sockets: Socket[] = [];
  let full = false;
  while (!full && sockets.length < 10_000) {
    const socket = connect(path);
    sockets.push(socket);
    await new Promise<void>((resolve) => {
      socket.once('connect', resolve);
      socket.once('error', () => {
        full = true;
        resolve();
      });
    });
  }
  try {
    assert.ok(full);
    await use();
  } finally {
    for (const socket of sockets) socket.on('error', () => {}).destroy();
  }
}
