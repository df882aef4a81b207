import { fstatSync } from 'node:fs';
import { CorruptSegmentError } from '../errors/index.js';
import { type FileIdentity, fileFacts, mapShared, reserve, sameFile } from '../os/index.js';
import { blockPath } from './names.js';

// The list of blocks that a process tree has made and not unlinked, in the tree's file, changed by all its members at
// once. A record's state word is its lock: FREE -> CLAIMED by compare-and-exchange, everything else by the claimer
// alone. Each claim has a new number, so a stale view of a record never frees a newer one.
//
//   CREATING  a file named by `temporary` may exist; nobody else makes files of that name
//   LIVE      the file with this identity lies at `temporary` or, once published, at `name`
//
// A record is written before its file is made and freed after its file is gone. So a member killed at any instant
// leaves at worst a record without a file, never a file without a record.

// The first record's place holds the format's name, so that a file of another kind is never taken for a list.
const MAGIC = 'multiprocess tree 1\n';
const RECORD_BYTES = 384;
const FIRST_RECORDS = 64;
const STATE = 0;
const NAME_BYTES = 4;
const TEMPORARY_BYTES = 5;
const INODE_OFFSET = 24;
const DEVICE_OFFSET = 32;
const TEMPORARY_OFFSET = 40;
const TEMPORARY_MAX = 64;
const NAME_OFFSET = 104;
const NAME_MAX = 255;

const FREE = 0;
const CLAIMED = 1;
const CREATING = 2;
const LIVE = 3;
const CODE_MASK = 3;

/** What a record says of a block. */
export interface LedgerRecord extends FileIdentity {
  readonly live: boolean;
  readonly temporary: string;
  readonly name: string;
}

/** A record and the state word it was seen with: acting on it has no effect once the record is another's. */
export interface LedgerEntry {
  readonly record: number;
  readonly state: number;
}

export class Ledger {
  readonly #fd: number;
  readonly #path: string;
  #content = Buffer.alloc(0);
  #words = new Int32Array(0);
  #hint = 0;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
  }

  /** Notes that a file called `temporary` is about to be made. */
  note(temporary: string): LedgerEntry {
    const record = this.#claim();
    const start = record * RECORD_BYTES;
    const length = this.#content.write(temporary, start + TEMPORARY_OFFSET, TEMPORARY_MAX, 'latin1');
    this.#words[start / 4 + TEMPORARY_BYTES] = length;
    this.#words[start / 4 + NAME_BYTES] = 0;
    return this.#enter(record, CREATING);
  }

  /** Notes the identity of the file and the name it is about to get. */
  confirm({ record }: LedgerEntry, name: string, file: FileIdentity): LedgerEntry {
    const start = record * RECORD_BYTES;
    this.#content.writeBigUInt64LE(file.inode, start + INODE_OFFSET);
    this.#content.writeDoubleLE(file.device, start + DEVICE_OFFSET);
    this.#words[start / 4 + NAME_BYTES] = this.#content.write(name, start + NAME_OFFSET, NAME_MAX, 'utf8');
    return this.#enter(record, LIVE);
  }

  /** Forgets a record whose file is gone, or is to stay for ever. */
  drop({ record, state }: LedgerEntry): void {
    // Two members may do this at once, and a third claim the record between them: only the first has an effect.
    if (this.#exchange(record, state, (state & ~CODE_MASK) | FREE)) this.#hint = record - 2;
  }

  /** The record of a block, whoever in the tree made it. */
  find(file: FileIdentity): LedgerEntry | undefined {
    this.#refresh();
    for (let record = 1; record < this.#count; record++) {
      const state = this.#state(record);
      if ((state & CODE_MASK) === LIVE && sameFile(file, readIdentity(this.#content, record))) return { record, state };
    }
    return undefined;
  }

  get #count(): number {
    return Math.floor(this.#content.length / RECORD_BYTES);
  }

  #state(record: number): number {
    return Atomics.load(this.#words, (record * RECORD_BYTES) / 4 + STATE);
  }

  // Only for who claimed the record, until it is LIVE. Atomics.store publishes what was written before it.
  #enter(record: number, code: number): LedgerEntry {
    const state = (this.#state(record) & ~CODE_MASK) | code;
    Atomics.store(this.#words, (record * RECORD_BYTES) / 4 + STATE, state);
    return { record, state };
  }

  #exchange(record: number, from: number, to: number): boolean {
    return Atomics.compareExchange(this.#words, (record * RECORD_BYTES) / 4 + STATE, from, to | 0) === from;
  }

  #claim(): number {
    for (;;) {
      const count = this.#count;
      for (let i = 1; i < count; i++) {
        const record = 1 + ((this.#hint + i) % (count - 1));
        const state = this.#state(record);
        if ((state & CODE_MASK) === FREE && this.#exchange(record, state, (state + CODE_MASK + 1) | CLAIMED)) {
          this.#hint = record - 1;
          return record;
        }
      }
      if (!this.#dropStale() && !this.#refresh()) this.#grow();
    }
  }

  /** Frees records whose file somebody removed without knowing of this list (Python, `rm`). */
  #dropStale(): boolean {
    let dropped = false;
    for (let record = 1; record < this.#count; record++) {
      const state = this.#state(record);
      if ((state & CODE_MASK) !== LIVE) continue;
      const noted = readRecord(this.#content, record);
      // In this order: publishing moves a file from its temporary name to its name, never back.
      const exists =
        sameFile(noted, fileFacts(blockPath(noted.temporary))) || sameFile(noted, fileFacts(blockPath(noted.name)));
      if (!exists && this.#exchange(record, state, (state & ~CODE_MASK) | FREE)) dropped = true;
    }
    return dropped;
  }

  /** Looks whether another member has made the list longer. */
  #refresh(): boolean {
    const bytes = fstatSync(this.#fd).size;
    if (bytes <= this.#content.length) return false;
    this.#map(bytes);
    return true;
  }

  #grow(): void {
    const bytes = this.#count === 0 ? FIRST_RECORDS * RECORD_BYTES : this.#content.length * 2;
    reserve(this.#fd, bytes, this.#path); // harmless when two members do it at once: content is kept
    this.#map(bytes);
  }

  #map(bytes: number): void {
    const { buffer } = mapShared(this.#fd, bytes);
    this.#content = Buffer.from(buffer);
    this.#content.write(MAGIC, 0, 'latin1');
    this.#words = new Int32Array(buffer, 0, Math.floor(bytes / 4));
  }
}

/** Reads the records out of a copy of a tree's file. */
export function readLedger(content: Buffer): LedgerRecord[] {
  const records: LedgerRecord[] = [];
  if (content.length === 0) return records; // a tree that has not made any block
  if (content.toString('latin1', 0, MAGIC.length) !== MAGIC) {
    if (content.every((byte) => byte === 0)) return records; // killed before the first record
    throw new CorruptSegmentError('This file is not the list of blocks of a process tree.');
  }
  for (let record = 1; record < Math.floor(content.length / RECORD_BYTES); record++) {
    const code = content.readInt32LE(record * RECORD_BYTES) & CODE_MASK;
    if (code === CREATING || code === LIVE) records.push(readRecord(content, record));
  }
  return records;
}

function readRecord(content: Buffer, record: number): LedgerRecord {
  const start = record * RECORD_BYTES;
  const nameBytes = content.readInt32LE(start + NAME_BYTES * 4);
  const temporaryBytes = content.readInt32LE(start + TEMPORARY_BYTES * 4);
  if (nameBytes < 0 || nameBytes > NAME_MAX || temporaryBytes < 0 || temporaryBytes > TEMPORARY_MAX) {
    throw new CorruptSegmentError('The list of shared memory blocks of a process tree holds impossible lengths.');
  }
  const temporary = content.toString('latin1', start + TEMPORARY_OFFSET, start + TEMPORARY_OFFSET + temporaryBytes);
  const name = content.toString('utf8', start + NAME_OFFSET, start + NAME_OFFSET + nameBytes);
  if (temporary.includes('/') || name.includes('/')) {
    throw new CorruptSegmentError('The list of shared memory blocks of a process tree names a file elsewhere.');
  }
  const live = (content.readInt32LE(start) & CODE_MASK) === LIVE;
  return { ...readIdentity(content, record), live, temporary, name };
}

function readIdentity(content: Buffer, record: number): FileIdentity {
  const start = record * RECORD_BYTES;
  return {
    inode: content.readBigUInt64LE(start + INODE_OFFSET),
    device: content.readDoubleLE(start + DEVICE_OFFSET),
  };
}
