import { closeSync, constants, openSync, readdirSync, readFileSync } from 'node:fs';
import { type FileFacts, fileFacts, openFileFacts, sameFile } from '../os/index.js';
import { type LedgerRecord, readLedger } from './ledger.js';
import { blockPath, SHM_DIRECTORY } from './names.js';
import { isTreeHeld, listTrees, treePath } from './process-tree.js';

/** A block as one sees it without opening it. */
export interface BlockOnDisk {
  readonly name: string;
  readonly bytes: number;
  /** The process tree that will clean it up. Without one, it stays until somebody unlinks it. */
  readonly tree: string | undefined;
}

export interface TreeFacts {
  readonly id: string;
  /** Whether any process of it lives. */
  readonly alive: boolean;
}

/** All process trees of this user that have made blocks, and all blocks, those of other programs too. */
export function listBlocks(): { trees: TreeFacts[]; blocks: BlockOnDisk[] } {
  const trees: TreeFacts[] = [];
  const records: (LedgerRecord & { tree: string })[] = [];
  for (const id of listTrees()) {
    const found = readTree(id);
    if (found === undefined) continue;
    trees.push({ id, alive: found.alive });
    records.push(...found.records.map((record) => ({ ...record, tree: id })));
  }
  const blocks = readdirSync(SHM_DIRECTORY).flatMap((name): BlockOnDisk[] => {
    if (/^mp-(tree|heap)-/.test(name)) return [];
    const facts = ownFile(name);
    if (facts === undefined) return [];
    // A record that is not live knows no identity yet.
    const record = records.find((noted) => (noted.live ? sameFile(facts, noted) : noted.temporary === name));
    return [{ name, bytes: facts.bytes, tree: record?.tree }];
  });
  return { trees, blocks };
}

function ownFile(name: string): FileFacts | undefined {
  const facts = fileFacts(blockPath(name));
  return facts !== undefined && isOurs(facts) ? facts : undefined;
}

function isOurs({ regular, uid }: FileFacts): boolean {
  return regular && uid === process.geteuid!();
}

/** @returns undefined for what is gone, or another user's. */
function readTree(id: string): { alive: boolean; records: LedgerRecord[] } | undefined {
  let fd: number;
  try {
    fd = openSync(treePath(id), constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!isOurs(openFileFacts(fd))) return undefined;
    return { alive: isTreeHeld(fd), records: recordsOf(fd) };
  } finally {
    closeSync(fd);
  }
}

/** A list with impossible content proves nothing about any block. */
function recordsOf(fd: number): LedgerRecord[] {
  try {
    return readLedger(readFileSync(fd));
  } catch {
    return [];
  }
}
