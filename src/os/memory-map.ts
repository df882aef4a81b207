import { constants } from 'node:buffer';
import { UnsupportedPlatformError } from '../errors/index.js';
import { closeForProcess, openForProcess } from './file.js';
import { lastAtExit } from './last-at-exit.js';
import { type Libc, libc } from './libc.js';
import { systemError } from './system-error.js';

const PROT_READ_WRITE = 3;
const MAP_SHARED = 1;
const MAP_FIXED = 0x10;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MAP_NORESERVE = 0x4000;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;

/** The largest block that this runtime can show as one ArrayBuffer, in bytes. */
export const MAX_MAP_BYTES = constants.MAX_LENGTH;

/** Memory of a file, seen as an ArrayBuffer. Other processes that map the file see the same bytes. */
export interface MemoryMap {
  readonly address: bigint;
  readonly buffer: ArrayBuffer;
}

interface Mapping {
  readonly address: bigint;
  readonly bytes: number;
  readonly released: (() => void) | undefined;
}

// An address that an ArrayBuffer has shown is never given back to the kernel. Typed arrays, native operations in flight
// (zlib, fs) and buffers into which V8 itself has moved the memory (web byte streams do) may outlive the ArrayBuffer that
// we know of, and each would turn an munmap into a SIGSEGV. So when V8 reports that ArrayBuffer collected, the memory is
// replaced by empty private pages: the shared memory is let go of, and only address space stays taken, of which a process
// has 128 TiB.
const collected = new FinalizationRegistry<Mapping>((mapping) => {
  forget(mapping);
  replace(mapping);
});

// V8 reports nothing while the event loop does not turn. A loop that opens and closes blocks without a pause would come
// to the kernel's limit of 65 530 mappings, so of what has been closed only so much waits to be collected.
const MOST_ABANDONED = 8192;
const MOST_ABANDONED_BYTES = 256 * 1024 * 1024;
const abandoned = new Set<Mapping>();
let abandonedBytes = 0;

function replace(mapping: Mapping): void {
  const { address, bytes, released } = mapping;
  all.delete(mapping);
  // Should the kernel refuse, the memory stays: that is safe, too.
  libc().mmap(address, bytes, PROT_READ_WRITE, MAP_FIXED | MAP_PRIVATE_ANONYMOUS | MAP_NORESERVE, -1, 0);
  released?.();
}

let checked = false;

/**
 * Maps the first `bytes` bytes of an open file, shared and writable.
 *
 * @param options.released called once the memory is gone from this process.
 * @param options.lockless says that no locks are held through `fd`, which saves a system call.
 * @throws RangeError when `bytes` is more than this runtime can show; a system error (`ENOMEM`, `EACCES`) from mmap.
 */
export function mapShared(
  fd: number,
  bytes: number,
  options: { released?: () => void; lockless?: boolean } = {},
): MemoryMap {
  const c = libc();
  // Beyond MAX_LENGTH koffi.view would abort the process.
  if (bytes > MAX_MAP_BYTES) {
    throw new RangeError(`This runtime shows at most ${MAX_MAP_BYTES} bytes as one buffer; ${bytes} were asked for.`);
  }
  if (!checked) checkViewsAreNoCopies(c);
  const address = options.lockless ? map(c, bytes, MAP_SHARED, fd) : mapApart(c, bytes, fd);
  const buffer = c.koffi.view(address, bytes) as ArrayBuffer;
  forbidTransfer(buffer);
  const mapping = { address, bytes, released: options.released };
  remember(mapping);
  mappings.set(buffer, mapping);
  collected.register(buffer, mapping, mapping);
  return { address, buffer };
}

/**
 * Shows a part of memory that stays mapped as long as this process as an ArrayBuffer of exactly that part.
 *
 * @param released called once nothing can reach the part through this buffer any more.
 */
export function viewPart(map: MemoryMap, offset: number, bytes: number, released: () => void): ArrayBuffer {
  const buffer = libc().koffi.view(map.address + BigInt(offset), bytes) as ArrayBuffer;
  forbidTransfer(buffer);
  partsCollected.register(buffer, released);
  return buffer;
}

const partsCollected = new FinalizationRegistry<() => void>((released) => released());

/**
 * A mapping keeps its open file alive, locks and all. Mapped through an open file of its own, it leaves closing `fd` to
 * let go of the locks on `fd` at once; so does Node when it closes the descriptors of a terminated worker.
 */
function mapApart(c: Libc, bytes: number, fd: number): bigint {
  const own = openForProcess(`/proc/self/fd/${fd}`);
  try {
    return map(c, bytes, MAP_SHARED, own);
  } finally {
    closeForProcess(own);
  }
}

const all = new Set<Mapping>();
let atExit = false;

/** A thread that ends takes its finalizers along, but not the memory that it has mapped: that has to be let go of here. */
function remember(mapping: Mapping): void {
  all.add(mapping);
  if (atExit) return;
  atExit = true;
  if (process.getBuiltinModule('node:worker_threads').isMainThread) return;
  // Not before the thread has left the heaps that it maps, or its orderly end would be taken for a death.
  lastAtExit(() => {
    for (const left of [...all]) replace({ ...left, released: undefined });
  }, true);
}

const mappings = new WeakMap<ArrayBuffer, Mapping>();

/**
 * Makes every view of the buffer empty where the runtime can (Node 22 and later). On Node 20, whose external buffers
 * cannot be detached, views keep showing the memory until they are collected, or so many others have been abandoned
 * since that it had to go: then they show zeros.
 */
export function abandon(buffer: ArrayBuffer): void {
  const mapping = mappings.get(buffer);
  // The prototype's own method: the buffer's is the one that throws. The ArrayBuffer that it returns is dropped at once.
  if (buffer.byteLength > 0) (ArrayBuffer.prototype as { transfer?: () => ArrayBuffer }).transfer?.call(buffer);
  if (mapping === undefined) return;
  abandoned.add(mapping);
  abandonedBytes += mapping.bytes;
  for (const oldest of abandoned) {
    if (oldest === mapping || (abandoned.size <= MOST_ABANDONED && abandonedBytes <= MOST_ABANDONED_BYTES)) break;
    collected.unregister(oldest);
    forget(oldest);
    replace(oldest);
  }
}

/** Lets go at once of what has been abandoned and not yet collected. Returns whether there was any. */
export function releaseAbandoned(): boolean {
  const any = abandoned.size > 0;
  for (const mapping of [...abandoned]) {
    collected.unregister(mapping);
    forget(mapping);
    replace(mapping);
  }
  return any;
}

function forget(mapping: Mapping): void {
  if (abandoned.delete(mapping)) abandonedBytes -= mapping.bytes;
}

function map(c: Libc, bytes: number, flags: number, fd: number): bigint {
  const address = c.mmap(null, bytes, PROT_READ_WRITE, flags, fd, 0);
  if (address === MAP_FAILED || (address as unknown) === null) throw systemError(c.errno(), 'mmap');
  return address;
}

/**
 * A buffer moved by `transfer()` would show empty pages once the original has been collected, so the buffers that users
 * get refuse it.
 */
function forbidTransfer(buffer: ArrayBuffer): void {
  const refuse = () => {
    throw new TypeError('Shared memory cannot be transferred: other processes go on using it. Copy it with slice().');
  };
  for (const method of ['transfer', 'transferToFixedLength']) {
    Object.defineProperty(buffer, method, { value: refuse, enumerable: false });
  }
}

/**
 * Some hosts (Electron, V8 with its sandbox) forbid ArrayBuffers over foreign memory; a host that silently copied
 * would un-share everything. So the first mapping proves that bytes written by libc appear in the view.
 */
function checkViewsAreNoCopies(c: Libc): void {
  const nonce = new Uint8Array([0x6d, 0x70, 0x01, 0xfe]);
  const address = map(c, 4096, MAP_PRIVATE_ANONYMOUS, -1);
  let seen: Uint8Array;
  try {
    seen = new Uint8Array(c.koffi.view(address, 4096) as ArrayBuffer, 0, nonce.length);
  } catch (cause) {
    throw new UnsupportedPlatformError('This host forbids buffers over shared memory (Electron does).', { cause });
  }
  c.memcpy(address, nonce, nonce.length);
  if (nonce.some((byte, i) => seen[i] !== byte)) {
    throw new UnsupportedPlatformError('This host copies external buffers, so memory cannot be shared through them.');
  }
  collected.register(seen.buffer, { address, bytes: 4096, released: undefined });
  checked = true;
}
