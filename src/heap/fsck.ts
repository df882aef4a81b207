import { readdirSync } from 'node:fs';
import { SHM_DIRECTORY } from '../shared-memory/internal.js';
import { describe, runs } from './allocator.js';
import { contentsOf } from './contents.js';
import type { Heap } from './heap.js';
import {
  belonging,
  belongingKind,
  DYING,
  descriptor,
  EXTENT_ENTRY_WORDS,
  EXTENT_TABLE,
  type ExtentKind,
  extentEntry,
  extentKind,
  foreignNode,
  header,
  isRawKind,
  KIND_MASK,
  MAX_SLOTS,
  PAGE_SHIFT,
  PAGE_WORDS,
  pageKind,
  ROOT_WORDS,
  root,
  rootKind,
  slot,
  slotBase,
  TOKEN_MASK,
} from './layout.js';
import { OWNS_A } from './lifetimes.js';
import { filePages, pagesTaken } from './limit.js';
import { extentPath } from './segment.js';
import { CLASS_CAPACITY, CLASS_WORDS } from './size-classes.js';
import type { Transaction } from './transaction.js';

/** What a heap consists of, and what is wrong with it. */
export interface HeapReport {
  /** Empty when all is well. */
  readonly problems: string[];
  readonly blocks: number;
  readonly blockWords: number;
  readonly roots: number;
  readonly holds: number;
  readonly extents: number;
}

/**
 * Checks a heap whose participants are at rest: every block is in use by exactly one owner or free, every count is exact,
 * every list is whole. For tests and for those who suspect something; it looks at everything, under the heap's own locks.
 */
export function checkHeap(heap: Heap): HeapReport {
  return heap.transaction.run((tx) => {
    tx.lockRoots();
    tx.lockAllocator();
    return new Check(heap, tx).run();
  });
}

class Check {
  readonly #problems: string[] = [];
  /** Blocks in use according to the allocator, and those with an owner. */
  readonly #used = new Map<number, number>();
  readonly #owned = new Map<number, string>();
  readonly #rootPages: number[] = [];
  /** Those that wait for each condition, and the rounds of each barrier. */
  readonly #waiters = new Map<number, Set<number>>();
  readonly #rounds = new Map<number, Set<number>>();
  #filePages = 0;
  readonly #heap: Heap;
  readonly #tx: Transaction;

  constructor(heap: Heap, tx: Transaction) {
    this.#heap = heap;
    this.#tx = tx;
  }

  run(): HeapReport {
    this.#extents();
    this.#partialLists(extentKind.structure, header.partial);
    this.#partialLists(extentKind.raw, header.rawPartial);
    const reserve = this.#tx.read(header.reserve);
    if (reserve !== 0) this.#own(reserve, 'the reserve');
    const holds = this.#holds();
    const foreign = this.#foreign();
    const held = [...holds.values()].reduce((sum, count) => sum + count, 0);
    const roots = this.#roots(holds, foreign);
    this.#slots();
    this.#limit();
    for (const address of this.#used.keys())
      if (!this.#owned.has(address)) this.#bad(`block ${address} belongs to nobody`);
    for (const [address, owner] of this.#owned) {
      if (!this.#used.has(address)) this.#bad(`${owner} has block ${address}, which is not in use`);
    }
    return {
      problems: this.#problems,
      // What is kept back is nobody's.
      blocks: this.#used.size - (this.#used.delete(reserve) ? 1 : 0),
      blockWords: [...this.#used.values()].reduce((sum, words) => sum + words, 0),
      roots,
      holds: held,
      extents: this.#tx.memory.extentCount - 1,
    };
  }

  #bad(problem: string): void {
    this.#problems.push(problem);
  }

  #own(address: number, owner: string): void {
    if (this.#owned.has(address)) this.#bad(`block ${address} belongs to ${owner} and to ${this.#owned.get(address)}`);
    this.#owned.set(address, owner);
  }

  #extents(): void {
    const tx = this.#tx;
    for (let extent = 1; extent < tx.memory.extentCount; extent++) {
      let freePages = 0;
      let pages = 0;
      let lastFree = false;
      for (const { page, at, run, isFree } of runs(tx, extent)) {
        pages += run;
        if (isFree) freePages += run;
        if (isFree && lastFree) this.#bad(`extent ${extent} has two free runs beside each other`);
        lastFree = isFree;
        const kind = tx.read(at + descriptor.kind);
        if ((kind & 0xff) === pageKind.small) this.#smallPage(page, at, kind >> 8);
        else if (kind === pageKind.large) this.#used.set(page << PAGE_SHIFT, run * PAGE_WORDS);
        else if (kind === pageKind.roots) this.#rootPages.push(page << PAGE_SHIFT);
        else if (!isFree && kind !== pageKind.table) this.#bad(`page ${page} is of the unknown kind ${kind}`);
      }
      const entry = EXTENT_TABLE + extent * EXTENT_ENTRY_WORDS;
      if (pages !== tx.read(entry + extentEntry.pages)) this.#bad(`the runs of extent ${extent} have ${pages} pages`);
      if (freePages !== tx.read(entry + extentEntry.freePages))
        this.#bad(`extent ${extent} has ${freePages} free pages`);
    }
  }

  #smallPage(page: number, at: number, sizeClass: number): void {
    let used = 0;
    const size = CLASS_WORDS[sizeClass] ?? 0;
    const capacity = CLASS_CAPACITY[sizeClass] ?? 0;
    for (let index = 0; index < 1024; index++) {
      if (!(this.#tx.read(at + descriptor.bitmap + (index >> 5)) & (1 << (index & 31)))) continue;
      if (index >= capacity) this.#bad(`page ${page} has block ${index} in use of ${capacity}`);
      used += 1;
      this.#used.set((page << PAGE_SHIFT) + index * size, size);
    }
    if (used !== this.#tx.read(at + descriptor.used))
      this.#bad(`page ${page} has ${used} blocks in use, not as it says`);
  }

  #partialLists(kind: ExtentKind, listAt: number): void {
    const tx = this.#tx;
    const listed = new Set<number>();
    for (let sizeClass = 0; sizeClass < CLASS_WORDS.length; sizeClass++) {
      let previous = 0;
      for (let reference = tx.read(listAt + sizeClass); reference !== 0; ) {
        const page = reference - 1;
        if (listed.has(page)) {
          this.#bad(`page ${page} is listed twice`);
          break;
        }
        listed.add(page);
        const at = describe(tx, page);
        if (tx.read(at + descriptor.kind) !== (pageKind.small | (sizeClass << 8)))
          this.#bad(`page ${page} is in a wrong list`);
        if (tx.read(at + descriptor.previous) !== previous) this.#bad(`page ${page} has a wrong neighbour`);
        previous = reference;
        reference = tx.read(at + descriptor.next);
      }
    }
    for (let extent = 1; extent < tx.memory.extentCount; extent++) {
      if (tx.read(EXTENT_TABLE + extent * EXTENT_ENTRY_WORDS + extentEntry.kind) !== kind) continue;
      for (const { page, at } of runs(tx, extent)) {
        const what = tx.read(at + descriptor.kind);
        if ((what & 0xff) !== pageKind.small) continue;
        const hasRoom = tx.read(at + descriptor.used) < (CLASS_CAPACITY[what >> 8] ?? 0);
        if (hasRoom !== listed.has(page))
          this.#bad(`page ${page} has ${hasRoom ? '' : 'no '}room and is in the wrong list`);
      }
    }
  }

  #holds(): Map<number, number> {
    const tx = this.#tx;
    const holds = new Map<number, number>();
    const rounds = new Map<number, number>();
    for (let index = 0; index < MAX_SLOTS; index++) {
      for (const list of [slot.belongings, slot.arrivals]) {
        let previous = 0;
        for (let node = tx.read(slotBase(index) + list); node !== 0; node = tx.read(node + belonging.next)) {
          if (this.#owned.has(node)) {
            this.#bad(`a list of slot ${index} is a ring`);
            break;
          }
          this.#own(node, `slot ${index}`);
          if (tx.read(node + belonging.previous) !== previous) this.#bad(`belonging ${node} has a wrong neighbour`);
          previous = node;
          const address = tx.read(node + belonging.root);
          const kind = list === slot.belongings ? tx.read(node + belonging.kind) : belongingKind.hold;
          if (kind === belongingKind.waiter) addTo(this.#waiters, address, node);
          if (kind === belongingKind.party) {
            const round = tx.read(node + belonging.words);
            rounds.set(round, (rounds.get(round) ?? 0) + 1);
            addTo(this.#rounds, address, round);
          }
          holds.set(address, (holds.get(address) ?? 0) + 1);
        }
      }
    }
    // A barrier's round is there as long as parties are in it; its fourth word counts them.
    for (const [round, parties] of rounds) {
      this.#own(round, 'a barrier');
      if (tx.read(round + 3) !== parties) this.#bad(`round ${round} miscounts its parties`);
    }
    return holds;
  }

  #foreign(): Map<number, number> {
    const tx = this.#tx;
    const counts = new Map<number, number>();
    for (let node = tx.read(header.foreign); node !== 0; node = tx.read(node + foreignNode.next)) {
      if (this.#owned.has(node)) {
        this.#bad('the list of references from other heaps is a ring');
        break;
      }
      this.#own(node, 'the list of references from other heaps');
      const address = tx.read(node + foreignNode.root);
      let sibling = tx.read(address + root.foreignNodes);
      while (sibling !== 0 && sibling !== node) sibling = tx.read(sibling + foreignNode.sibling);
      if (sibling === 0) this.#bad(`root ${address} does not know of the reference ${node}`);
      counts.set(address, (counts.get(address) ?? 0) + tx.read(node + foreignNode.count));
    }
    return counts;
  }

  #roots(holds: Map<number, number>, foreign: Map<number, number>): number {
    const tx = this.#tx;
    const free = this.#list(header.freeRoots, 'free roots');
    const dying = this.#list(header.dying, 'dying roots');
    const cutPage = tx.read(header.rootsPage);
    const files = new Set(readdirSync(SHM_DIRECTORY).map((file) => `${SHM_DIRECTORY}/${file}`));
    /** What each root says of references to it from within this heap, less those that are found. */
    const unexplained = new Map<number, number>();
    const explain = (address: number, by: number) => unexplained.set(address, (unexplained.get(address) ?? 0) + by);
    let count = 0;
    for (const page of this.#rootPages) {
      for (let number = 0; number < PAGE_WORDS / ROOT_WORDS; number++) {
        const address = page + number * ROOT_WORDS;
        if (page === cutPage && number >= tx.read(header.rootsCut)) break;
        const kind = tx.read(address + root.kind);
        if ((kind === rootKind.free) !== free.has(address)) this.#bad(`root ${address} is free and in use`);
        if (kind === rootKind.free) continue;
        if (((kind & DYING) !== 0) !== dying.has(address)) this.#bad(`root ${address} is dying and is not`);
        count += 1;
        const held = holds.get(address) ?? 0;
        const counted = tx.read(address + root.holds);
        if (held !== counted) this.#bad(`root ${address} counts ${counted} holds and has ${held}`);
        const references = tx.read(address + root.references);
        if ((foreign.get(address) ?? 0) !== tx.read(address + root.foreign))
          this.#bad(`root ${address} miscounts heaps`);
        if (held === 0 && references === 0 && !dying.has(address)) this.#bad(`root ${address} is needed by nobody`);
        explain(address, references - (foreign.get(address) ?? 0));
        holds.delete(address);
        foreign.delete(address);
        const contents = tx.read(address + root.a);
        if (contents !== 0 && OWNS_A.has(kind & KIND_MASK)) this.#own(contents, `root ${address}`);
        if ((kind & KIND_MASK) === rootKind.barrier) this.#barrier(address);
        if ((kind & KIND_MASK) === rootKind.condition) {
          explain(tx.read(address + root.c), -1);
          this.#queue(address);
        }
        contentsOf(kind & KIND_MASK)?.survey(tx, address, {
          owns: (block) => this.#own(block, `root ${address}`),
          refersTo: (other) => explain(other, -1),
          problem: (text) => this.#bad(`root ${address}: ${text}`),
        });
        const mayHaveFile = isRawKind(kind) || (kind & KIND_MASK) === rootKind.parcel;
        if (mayHaveFile && tx.read(address + root.c) !== 0) {
          this.#filePages += filePages(tx, address);
          const name = `raw-${address.toString(36)}-${tx.read(address + root.d).toString(36)}`;
          files.delete(extentPath(this.#heap.id, this.#heap.nonce, name));
        }
      }
    }
    for (const address of [...holds.keys(), ...foreign.keys()]) this.#bad(`${address} is held and no root`);
    for (const [address, by] of unexplained)
      if (by !== 0) this.#bad(`root ${address} counts ${by} references too many`);
    const prefix = extentPath(this.#heap.id, this.#heap.nonce, 'raw-');
    for (const file of files) if (file.startsWith(prefix)) this.#bad(`${file} belongs to nobody`);
    return count;
  }

  #barrier(address: number): void {
    const tx = this.#tx;
    const text = tx.read(address + root.d);
    if (text !== 0) this.#own(text, `root ${address}`);
    const current = tx.read(address + root.a);
    if (current === 0) return;
    if (!this.#rounds.get(address)?.has(current)) this.#bad(`barrier ${address} is in a round that nobody is in`);
    // Its first word: 2 and more are over.
    else if (tx.read(current) > 1) this.#bad(`barrier ${address} is in a round that is over`);
  }

  /** Who waits for a condition: its nodes, besides what all belongings have, are next, previous, and an ascending ticket. */
  #queue(address: number): void {
    const tx = this.#tx;
    const waiters = this.#waiters.get(address) ?? new Set();
    let previous = 0;
    let before: number | undefined;
    for (let node = tx.read(address + root.a); node !== 0; node = tx.read(node + belonging.words)) {
      if (!waiters.delete(node)) {
        this.#bad(`condition ${address} has ${node} in line, which is no waiter's, or twice`);
        return;
      }
      const ticket = tx.read(node + belonging.words + 2);
      if (tx.read(node + belonging.words + 1) !== previous) this.#bad(`waiter ${node} has a wrong neighbour`);
      if (before !== undefined && ((ticket - before) | 0) <= 0) this.#bad(`waiter ${node} has too low a ticket`);
      previous = node;
      before = ticket;
    }
    if (tx.read(address + root.b) !== previous) this.#bad(`condition ${address} has another last waiter`);
    if (before !== undefined && ((tx.read(address + root.d) - before) | 0) < 0)
      this.#bad(`condition ${address} has not handed out the ticket of its last waiter`);
    if (waiters.size > 0) this.#bad(`condition ${address} lacks waiters in its line: ${[...waiters]}`);
  }

  #list(headAt: number, what: string): Set<number> {
    const members = new Set<number>();
    for (let address = this.#tx.read(headAt); address !== 0; address = this.#tx.read(address + root.next)) {
      if (members.has(address)) {
        this.#bad(`the list of ${what} is a ring`);
        break;
      }
      members.add(address);
    }
    return members;
  }

  #limit(): void {
    const { memory } = this.#tx;
    const counted = memory.segment[header.filePages]!;
    if (counted !== this.#filePages) this.#bad(`the heap counts ${counted} pages in files and has ${this.#filePages}`);
    const most = memory.segment[header.maxPages]!;
    const taken = pagesTaken(memory);
    if (most !== 0 && taken > most) this.#bad(`the heap takes ${taken} pages, and may take ${most}`);
  }

  #slots(): void {
    const { participant } = this.#heap;
    for (let index = 0; index < MAX_SLOTS; index++) {
      if (index === participant.slot) continue;
      const length = this.#tx.read(slotBase(index) + slot.logLength);
      if (length !== 0 && !participant.isAlive(index))
        this.#bad(`slot ${index} died with ${length} entries in its log`);
    }
    const growth = this.#tx.read(header.growthLock) & TOKEN_MASK;
    if (growth === participant.token) this.#bad('the growth lock is held by who checks');
  }
}

function addTo(sets: Map<number, Set<number>>, key: number, value: number): void {
  const known = sets.get(key);
  if (known === undefined) sets.set(key, new Set([value]));
  else known.add(value);
}
