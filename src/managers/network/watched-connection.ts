import type { Socket } from 'node:net';
import { limitUnanswered } from '../../os/index.js';

const KEEP_ALIVE_MS = 5000;
/** How long what has been sent may stay unanswered by the other machine. */
const UNANSWERED_MS = 20_000;

/**
 * Has the kernel end a connection when the other machine does not answer any more: within about 15 s if nothing is said
 * (libuv asks ten times, once a second), 20 s if something is. Kernels answer each other; a process that is merely stopped,
 * or busy, is not taken for gone.
 */
export function watchConnection(socket: Socket): void {
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  limitUnanswered(socket, UNANSWERED_MS);
}
