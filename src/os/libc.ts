import { createRequire } from 'node:module';
import { UnsupportedPlatformError } from '../errors/index.js';
import { requireLinux, type SyscallNumbers } from './platform.js';

type Koffi = typeof import('koffi');

/**
 * The functions of libc that Node itself does not offer. Each returns what C returns; `errno()` is to be read at once
 * after a failure, before anything else runs.
 */
export interface Libc {
  readonly koffi: Koffi;
  readonly numbers: SyscallNumbers;
  errno(): number;
  open(path: string, flags: number, mode: number): number;
  close(fd: number): number;
  unlink(path: string): number;
  linkat(fromDir: number, from: string, toDir: number, to: string, flags: number): number;
  fcntl(fd: number, command: number, argument: Uint8Array): number;
  posixFallocate(fd: number, offset: number, length: number): number;
  mmap(address: bigint | null, length: number, protection: number, flags: number, fd: number, offset: number): bigint;
  malloc(bytes: number): bigint;
  free(block: bigint): void;
  memcpy(target: bigint, source: Uint8Array, length: number): bigint;
  waitid(idType: number, id: number, info: Uint8Array, options: number): number;
  socket(domain: number, type: number, protocol: number): number;
  connect(fd: number, address: Uint8Array, length: number): number;
  setsockopt(fd: number, level: number, name: number, value: Uint8Array, length: number): number;
  prctl(option: number, a: number, b: number, c: number, d: number): number;
  futex(
    number: number,
    word: bigint,
    op: number,
    value: number,
    time: Uint8Array | null,
    word2: null,
    bits: number,
  ): number;
  futexWaitv(
    number: number,
    waiters: Uint8Array,
    count: number,
    flags: number,
    time: Uint8Array | null,
    clock: number,
  ): number;
  renameat2(number: number, fromDir: number, from: string, toDir: number, to: string, flags: number): number;
  statx(number: number, dir: number, path: string, flags: number, mask: number, result: Uint8Array): number;
}

/** What each is in C. `syscall` stands for those that libc has no function for, or not everywhere. */
const prototypes = {
  open: 'int open(const char *path, int flags, unsigned int mode)',
  close: 'int close(int fd)',
  unlink: 'int unlink(const char *path)',
  linkat: 'int linkat(int fromDir, const char *from, int toDir, const char *to, int flags)',
  fcntl: 'int fcntl(int fd, int command, void *argument)',
  posixFallocate: 'int posix_fallocate(int fd, int64_t offset, int64_t length)',
  mmap: 'void *mmap(void *address, size_t length, int protection, int flags, int fd, int64_t offset)',
  malloc: 'void *malloc(size_t bytes)',
  free: 'void free(void *block)',
  memcpy: 'void *memcpy(void *target, const void *source, size_t length)',
  waitid: 'int waitid(int idtype, unsigned int id, void *info, int options)',
  socket: 'int socket(int domain, int type, int protocol)',
  connect: 'int connect(int fd, const void *address, unsigned int length)',
  setsockopt: 'int setsockopt(int fd, int level, int name, const void *value, unsigned int length)',
  prctl: 'int prctl(int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)',
  futex: 'long syscall(long number, void *word, int op, uint32_t value, void *time, void *word2, uint32_t bits)',
  futexWaitv: 'long syscall(long number, void *waiters, unsigned int count, unsigned int flags, void *time, int clock)',
  renameat2: 'long syscall(long number, int fromDir, const char *from, int toDir, const char *to, unsigned int flags)',
  statx: 'long syscall(long number, int dir, const char *path, int flags, unsigned int mask, void *result)',
};

let loaded: Libc | undefined;

/**
 * Loads koffi and binds libc on first use: a program that only imports the library pays nothing (loading takes about
 * 7 ms, as long as a fifth of starting Node).
 *
 * @throws UnsupportedPlatformError on other systems and where koffi has no binary for this one.
 */
export function libc(): Libc {
  loaded ??= bind();
  return loaded;
}

function bind(): Libc {
  const numbers = requireLinux();
  let koffi: Koffi;
  try {
    koffi = createRequire(import.meta.url)('koffi') as Koffi;
  } catch (cause) {
    throw new UnsupportedPlatformError(
      'The native module koffi could not be loaded. Install it with its optional dependencies ' +
        '(npm install --include=optional); its prebuilt binaries need no install script.',
      { cause },
    );
  }
  // The process's own libc, by whatever name: glibc's and musl's files are called differently.
  const library = koffi.load(null);
  const c = { koffi, numbers, errno: () => koffi.errno() };
  for (const [name, prototype] of Object.entries(prototypes)) {
    // Bound when it is first called. Most threads need few of them, and one that is terminated while koffi binds takes the whole
    // process along: that is to take as little time as it can.
    Object.defineProperty(c, name, {
      configurable: true,
      get() {
        const value = library.func(prototype) as unknown;
        Object.defineProperty(c, name, { value });
        return value;
      },
    });
  }
  return c as unknown as Libc;
}
