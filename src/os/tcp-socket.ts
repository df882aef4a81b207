import type { Socket } from 'node:net';
import { descriptorOf } from './direct-writer.js';
import { libc } from './libc.js';

const IPPROTO_TCP = 6;
const TCP_USER_TIMEOUT = 18;

/**
 * Has the kernel end a TCP connection when what was sent has not been acknowledged for so many ms; by default it goes on
 * trying for a quarter of an hour. Node has no name for that; where the descriptor cannot be had, nothing changes.
 */
export function limitUnanswered(socket: Socket, ms: number): void {
  const fd = descriptorOf(socket);
  if (fd === undefined) return;
  const value = Buffer.alloc(4);
  value.writeInt32LE(ms);
  try {
    libc().setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, value, value.length);
  } catch {
    // a platform without: its own patience then
  }
}
