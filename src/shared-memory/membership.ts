import { lastAtExit } from '../os/index.js';
import { letGoOfAllHolds } from './hold.js';
import { Ledger } from './ledger.js';
import { joinTree, leaveTree, type ProcessTree } from './process-tree.js';
import { sweep } from './sweep.js';

/** What this environment does for its process tree. */
export interface Membership {
  readonly tree: ProcessTree;
  readonly ledger: Ledger;
}

let membership: Membership | undefined;

/** Joins the process tree on first need, and then cleans up after trees that are gone. */
export function ensureMembership(): Membership {
  if (membership === undefined) {
    const { isMainThread } = process.getBuiltinModule('node:worker_threads');
    const tree = joinTree(!isMainThread);
    membership = { tree, ledger: new Ledger(tree.fd, tree.path) };
    // Worker threads end before their process does; the last word is the main thread's.
    // And after its exit handlers, which may unlink what they made.
    if (isMainThread) lastAtExit(() => leave(tree), true);
    sweep();
  }
  return membership;
}

/** The membership, if there is one. Never joins: for what may be called when this process has left already. */
export function currentMembership(): Membership | undefined {
  return membership;
}

// A process that is ending must end, so nothing is thrown here: what cannot be done is left to the next process.
function leave(tree: ProcessTree): void {
  // Whoever makes blocks from here on, in an exit handler of its own, joins anew.
  membership = undefined;
  try {
    letGoOfAllHolds();
  } catch {}
  try {
    leaveTree(tree);
    const removed = sweep().get(tree.id) ?? [];
    for (const name of removed) removedAtExit.add(name);
    if (removed.length > 0) warn(removed);
  } catch {}
}

/** Names of blocks that this process has removed on its way out; nobody need complain that they are gone. */
export const removedAtExit = new Set<string>();

function warn(names: readonly string[]): void {
  if (process.env['NODE_NO_WARNINGS'] === '1' || process.execArgv.includes('--no-warnings')) return;
  const blocks = names.length === 1 ? 'a shared memory block' : `${names.length} shared memory blocks`;
  // process.emitWarning would come too late for a process that is exiting.
  process.stderr.write(
    `(multiprocess:${process.pid}) Warning: ${blocks} never unlinked, removed now: ${names.slice(0, 10).join(', ')}` +
      `${names.length > 10 ? ', …' : ''}. Call unlink(), use \`using\`, or create with { persist: true } to keep.\n`,
  );
}
