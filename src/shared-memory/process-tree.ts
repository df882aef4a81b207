import { closeSync, constants, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import {
  crashPoint,
  errno,
  errorCode,
  fileFacts,
  isLockedByOther,
  openFileFacts,
  openForProcess,
  publishOpenFile,
  removeFile,
  requireLinux,
  sameFile,
  systemError,
  tryLockFile,
  unlockFile,
} from '../os/index.js';
import { SHM_DIRECTORY } from './names.js';
import { randomHex } from './random.js';

// A process tree is a main process and all its children. It is a file in /dev/shm, and it lives while anybody holds a
// shared lock on its member bytes: the kernel lets go of it however a process ends. The file also lists the blocks that
// the tree made (ledger.ts), so whoever finds a tree that nobody holds knows what to clean up.
//
// Each environment (main thread, worker) holds a membership of its own, on a descriptor of its own: so the tree cannot
// be swept while any thread may still make blocks. A worker that is the first of its process takes a second membership
// that lasts as long as the process.

const TREE_FILE = /^mp-tree-([0-9a-f]{16})$/;
const TREE_VARIABLE = 'MULTIPROCESS_TREE';

/** Locked shared by members, all of them exclusively by who sweeps the tree. Far beyond any content. */
const PROCESS_BYTE = 1n << 62n;
const ENVIRONMENT_BYTE = PROCESS_BYTE + 1n;
const MEMBER_BYTES = 2n;

/** A process tree that this environment is a member of. */
export interface ProcessTree {
  readonly id: string;
  readonly path: string;
  /** This environment's descriptor of the tree's file; its membership goes with it. */
  readonly fd: number;
  /** Descriptors by which this process was a member before. */
  readonly inherited: readonly number[];
}

export function treePath(id: string): string {
  return `${SHM_DIRECTORY}/mp-tree-${id}`;
}

/** The ids of all trees that have a file, living or not. */
export function listTrees(): string[] {
  return readdirSync(SHM_DIRECTORY).flatMap((file) => TREE_FILE.exec(file)?.[1] ?? []);
}

/** Takes the exclusive right to sweep a tree; fails while the tree lives or another sweeps it. */
export function tryLockTree(fd: number): boolean {
  return tryLockFile(fd, 'exclusive', PROCESS_BYTE, MEMBER_BYTES);
}

/** Whether anybody is a member of the tree, or sweeps it. `fd` is not one by which this process is. */
export function isTreeHeld(fd: number): boolean {
  return isLockedByOther(fd, PROCESS_BYTE, MEMBER_BYTES);
}

export function unlockTree(fd: number): void {
  unlockFile(fd, PROCESS_BYTE, MEMBER_BYTES);
}

/**
 * Makes this environment a member of its process's tree: the one that another thread, or the parent on its behalf, has
 * joined already; else the one that the environment variable names; else a new one.
 *
 * @param forProcess also keep the tree alive until the process ends, should no other thread do so.
 * @throws UnsupportedPlatformError on anything but Linux on x64 or arm64; system errors.
 */
export function joinTree(forProcess: boolean): ProcessTree {
  requireLinux();
  // One thread of a process at a time, or two could each found a tree.
  const gate = enterProcessGate();
  try {
    const memberships = findMemberships();
    const id = memberships[0]?.id ?? process.env[TREE_VARIABLE];
    const entered = (id === undefined ? undefined : enterTree(id)) ?? makeTree();
    const inherited = memberships.filter((member) => member.id === entered.id && member.forProcess).map(({ fd }) => fd);
    if (forProcess && memberships.length === 0) {
      tryLockFile(openForProcess(`/proc/self/fd/${entered.fd}`), 'shared', PROCESS_BYTE);
    }
    const tree = { ...entered, inherited };
    process.env[TREE_VARIABLE] = tree.id;
    crashPoint('tree:joined');
    return tree;
  } finally {
    if (gate !== undefined) closeSync(gate);
  }
}

/** Ends the membership of this environment and of this process; the descriptors stay open and the tree may be swept. */
export function leaveTree(tree: ProcessTree): void {
  // Only these: a thread that still runs may be handing a membership to a child right now.
  for (const fd of tree.inherited) unlockFile(fd, PROCESS_BYTE);
  unlockFile(tree.fd, ENVIRONMENT_BYTE);
  crashPoint('tree:left');
}

/**
 * Opens the tree's file anew and takes a process's membership on that descriptor, to be handed to a child process: so the
 * child is a member before its first instruction. The caller closes its own copy once the child has been started.
 */
export function membershipForChild(tree: ProcessTree): number {
  // By descriptor: somebody may have removed the name (systemd does at a user's last logout, with RemoveIPC).
  const fd = openSync(`/proc/self/fd/${tree.fd}`, constants.O_RDWR);
  tryLockFile(fd, 'shared', PROCESS_BYTE); // nobody has it exclusively while this environment is a member
  return fd;
}

const GATE_BYTE = 1n << 62n;
const GATE_PATIENCE_MS = 5000;
const GATE_POLL_MS = 1;

/** A lock that all threads of this process share and no other process does, and that leaves no file behind. */
function enterProcessGate(): number | undefined {
  let fd: number;
  try {
    fd = openSync('/proc/self/comm', constants.O_RDWR);
  } catch (error) {
    // A process that has given up root's rights may not open it. Then threads that join at once may found two trees.
    if (errorCode(error) === 'EACCES') return undefined;
    throw error;
  }
  const deadline = performance.now() + GATE_PATIENCE_MS;
  while (!tryLockFile(fd, 'exclusive', GATE_BYTE)) {
    if (performance.now() > deadline) {
      closeSync(fd);
      throw systemError(errno.EAGAIN, 'fcntl', '/proc/self/comm');
    }
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, GATE_POLL_MS);
  }
  return fd;
}

interface FoundMembership {
  readonly id: string;
  readonly fd: number;
  readonly forProcess: boolean;
}

// Threads of one process share its descriptors but no JavaScript, so memberships are found among the descriptors. The
// kernel shows the locks of each open file; who only looks at a tree has none there.
function findMemberships(): FoundMembership[] {
  return readdirSync('/proc/self/fd').flatMap((entry) => {
    try {
      const id = memberFile.exec(readlinkSync(`/proc/self/fd/${entry}`))?.[1];
      if (id === undefined) return [];
      const lock = memberLock.exec(readFileSync(`/proc/self/fdinfo/${entry}`, 'latin1'))?.[1];
      return lock === undefined ? [] : [{ id, fd: Number(entry), forProcess: BigInt(lock) === PROCESS_BYTE }];
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return []; // closed meanwhile
      throw error;
    }
  });
}

const memberFile = new RegExp(`^${SHM_DIRECTORY}/mp-tree-([0-9a-f]{16})( \\(deleted\\))?$`);
const memberLock = new RegExp(`OFDLCK\\s+ADVISORY\\s+READ .* (${PROCESS_BYTE}|${ENVIRONMENT_BYTE}) \\d+$`, 'm');

type EnteredTree = Omit<ProcessTree, 'inherited'>;

function enterTree(id: string): EnteredTree | undefined {
  if (!TREE_FILE.test(`mp-tree-${id}`)) return undefined;
  const path = treePath(id);
  let fd: number;
  try {
    // By node:fs: Node closes it, and the kernel ends the membership, when the environment is a worker that ends.
    fd = openSync(path, constants.O_RDWR | constants.O_NOFOLLOW);
  } catch (error) {
    if (['ENOENT', 'EACCES', 'ELOOP'].includes(errorCode(error) ?? '')) return undefined; // gone, or not ours
    throw error;
  }
  // Looked at again under the lock: a sweeper may have removed the file before this environment held it.
  if (tryLockFile(fd, 'shared', ENVIRONMENT_BYTE) && sameFile(openFileFacts(fd), fileFacts(path))) {
    return { id, path, fd };
  }
  closeSync(fd);
  return undefined;
}

/**
 * The file is held as by a member before it has its name, so no sweeper ever takes it for that of a dead tree; killed
 * before, it never was.
 */
function makeTree(): EnteredTree {
  const O_TMPFILE = 0o20000000 | constants.O_DIRECTORY;
  const id = randomHex(16);
  const path = treePath(id);
  const founding = openSync(SHM_DIRECTORY, O_TMPFILE | constants.O_RDWR, 0o600);
  try {
    tryLockFile(founding, 'shared', ENVIRONMENT_BYTE);
    publishOpenFile(founding, path);
    crashPoint('tree:created');
    // Opened by its name: a descriptor without one would not be found by this process's other threads.
    const tree = enterTree(id);
    if (tree) return tree;
    removeFile(path);
    throw systemError(errno.EACCES, 'open', path); // there, and yet it cannot be opened: a umask
  } finally {
    closeSync(founding);
  }
}
