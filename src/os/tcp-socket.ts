import type { Socket } from 'node:net';
import { libc } from './libc.js';

const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;

/**
 * Has the kernel end a TCP connection when what was sent has not been acknowledged for so many ms; by default it goes on
 * trying for a quarter of an hour. Node has no name for that; where the descriptor cannot be had, nothing changes.
 */
export function limitUnanswered(socket: Socket, ms: number): void {
  // Of a TLS connection, that of the socket beneath it.
  const handle = (socket as { _handle?: { fd?: number; _parent?: { fd?: number } } })._handle;
  const fd = handle?.fd ?? handle?._parent?.fd;
  if (fd === undefined || fd < 0) return;
  const value = Buffer.alloc(4);
  value.writeInt32LE(ms);
  try {
    libc().setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, value, value.length);
  } catch {
    // a platform without: its own patience then
  }
}
