import { type HeapFacts, listHeaps } from '../heap/internal.js';
import { listManagers, type ManagerFacts } from '../managers/internal.js';
import { type BlockOnDisk, listBlocks, type TreeFacts } from '../shared-memory/internal.js';
import { openers } from './openers.js';

/** How long a server may take to say who it is, in ms. */
const PATIENCE_MS = 1000;

export interface Block extends BlockOnDisk {
  /** Processes that have it open, as far as this one may know. */
  readonly pids: readonly number[];
}

export interface Tree extends TreeFacts {
  readonly pids: readonly number[];
}

/** What this user shares on this machine. */
export interface Inventory {
  readonly managers: readonly ManagerFacts[];
  readonly heaps: readonly HeapFacts[];
  readonly trees: readonly Tree[];
  readonly blocks: readonly Block[];
}

export async function takeInventory(): Promise<Inventory> {
  const managers = await listManagers(PATIENCE_MS);
  const { trees, blocks } = listBlocks();
  const heaps = listHeaps();
  const pids = openers();
  return {
    managers,
    heaps,
    trees: trees.map((tree) => ({ ...tree, pids: pids.get(`mp-tree-${tree.id}`) ?? [] })),
    blocks: blocks.map((block) => ({ ...block, pids: pids.get(block.name) ?? [] })),
  };
}
