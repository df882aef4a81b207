import { ValueError } from '../errors/index.js';
import type { FileIdentity } from '../os/index.js';
import { canonicalName } from './names.js';

/** What an address says of a block. */
export interface BlockAddress {
  readonly name: string;
  readonly identity: FileIdentity;
}

/** Writes `mp:<kind>:<device>:<inode>:<name>`; the name last, with what could be mistaken escaped. */
export function formatAddress(kind: string, { name, identity }: BlockAddress): string {
  return `mp:${kind}:${formatFields({ name, identity })}`;
}

export function formatFields({ name, identity }: BlockAddress): string {
  return `${identity.device.toString(36)}:${identity.inode.toString(36)}:${encodeURIComponent(name)}`;
}

/**
 * Reads the part of an address behind its kind.
 *
 * @throws ValueError for text that is no such address.
 */
export function parseAddress(fields: string): BlockAddress {
  const [, device, inode, name] = /^([0-9a-z]{1,11}):([0-9a-z]{1,13}):([^:/\0]+)$/.exec(fields) ?? [];
  if (device === undefined || inode === undefined || name === undefined) {
    throw new ValueError(`This is not the address of a shared memory block: '${fields.slice(0, 80)}'.`);
  }
  const value = [...inode].reduce((sum, digit) => sum * 36n + BigInt(Number.parseInt(digit, 36)), 0n);
  let plain: string;
  try {
    plain = canonicalName(decodeURIComponent(name));
  } catch (cause) {
    throw new ValueError('This address names no block of shared memory.', { cause });
  }
  return { name: plain, identity: { device: Number.parseInt(device, 36), inode: value } };
}
