import {
  atomicAdd,
  BURIAL_ROOM,
  DYING,
  dropReference,
  EXTENT_MASK,
  registerContents,
  root,
  rootKind,
  type Survey,
  type Transaction,
} from '../heap/internal.js';
import { CELL_WORDS, cell, dropCellInPlace, surveyCellInPlace, wordsBehind } from '../values/internal.js';
import { passRecord } from './channel.js';
import { body, bodyType, CHUNK_WORDS, channel, chunk, ENDS_GONE, end, item, waitWord } from './layout.js';
import { dropItem } from './shares.js';

// How a queue, a pipe, or an end of a pipe is let go of when nobody needs it any more, and what it consists of.

const MOST_AT_ONCE = 4096;

registerContents(rootKind.queue, {
  bury(tx, address) {
    const at = tx.read(address + root.a);
    if (at === 0) return true;
    const type = tx.read(at + body.type);
    if (type === bodyType.end) buryEnd(tx, at);
    else {
      if (!buryOut(tx, at) || !buryChannel(tx, at + body.channel)) return false;
      if (type === bodyType.pipe && !buryChannel(tx, at + body.otherChannel)) return false;
    }
    tx.free(at);
    tx.write(address + root.a, 0);
    return true;
  },
  survey(tx, address, survey) {
    const at = tx.read(address + root.a);
    if (at === 0) return;
    survey.owns(at);
    const type = tx.read(at + body.type);
    if (type === bodyType.end) return survey.refersTo(tx.read(at + end.pipe));
    let leased = 0;
    let previous = 0;
    for (const out of list(tx, tx.read(at + body.out), survey)) {
      if (tx.read(out + item.previous) !== previous) survey.problem(`item ${out} has a wrong neighbour`);
      if (tx.read(out + item.deliveries) > 0) leased += 1;
      previous = out;
    }
    // An item that is unpacked may have been leased before.
    if (tx.read(at + body.leased) > leased) survey.problem('more items are leased than are out');
    for (const base of type === bodyType.pipe ? [body.channel, body.otherChannel] : [body.channel]) {
      const count = surveyChannel(tx, at + base, survey);
      const counted = tx.read(at + base + channel.count);
      // While it is being buried, nobody counts any more.
      if (count !== counted && (tx.read(address + root.kind) & DYING) === 0) {
        survey.problem(`it counts ${counted} items and has ${count}`);
      }
    }
  },
});

/** Nobody has this end of a pipe any more: whoever waits at the other one hears of it. */
function buryEnd(tx: Transaction, at: number): void {
  const pipe = tx.read(at + end.pipe);
  tx.write(pipe + ENDS_GONE, tx.read(pipe + ENDS_GONE) | (1 << tx.read(at + end.side)));
  for (const word of [waitWord.items, waitWord.otherItems]) {
    // Bumped before it has happened, and woken after it: who looks too early sleeps on.
    atomicAdd(tx.memory.at(pipe + word), (pipe + word) & EXTENT_MASK, 1);
    tx.wakeAfterwards(pipe + word);
  }
  dropReference(tx, pipe);
}

/** Items that somebody had when the queue was disposed of. */
function buryOut(tx: Transaction, at: number): boolean {
  for (let out = tx.read(at + body.out); out !== 0; out = tx.read(at + body.out)) {
    if (tx.room < BURIAL_ROOM) return false;
    tx.write(at + body.out, tx.read(out + item.next));
    dropItem(tx, out);
  }
  return true;
}

function buryChannel(tx: Transaction, base: number): boolean {
  for (let returned = tx.read(base + channel.returned); returned !== 0; returned = tx.read(base + channel.returned)) {
    if (tx.room < BURIAL_ROOM) return false;
    tx.write(base + channel.returned, tx.read(returned + item.next));
    dropItem(tx, returned);
  }
  const last = tx.read(base + channel.tailChunk);
  if (last === 0) return true;
  const tail = tx.read(base + channel.tail);
  for (let i = 0; ; i++) {
    if (tx.room < BURIAL_ROOM || i > MOST_AT_ONCE) return false;
    const at = tx.read(base + channel.head);
    if (at === tail) break;
    if (tx.read(at + cell.kind) === 0) {
      const done = tx.read(base + channel.headChunk);
      const next = tx.read(done + chunk.next);
      tx.write(base + channel.headChunk, next);
      tx.write(base + channel.head, next + chunk.records);
      tx.free(done);
      continue;
    }
    dropCellInPlace(tx, at);
    passRecord(tx, base, at);
  }
  tx.free(last);
  tx.write(base + channel.tailChunk, 0);
  return true;
}

/** @returns how many items there are. */
function surveyChannel(tx: Transaction, base: number, survey: Survey): number {
  let count = 0;
  for (const _ of list(tx, tx.read(base + channel.returned), survey)) count += 1;
  const tailChunk = tx.read(base + channel.tailChunk);
  const tail = tx.read(base + channel.tail);
  const seen = new Set<number>();
  let at = tx.read(base + channel.head);
  for (let current = tx.read(base + channel.headChunk); tailChunk !== 0; current = tx.read(current + chunk.next)) {
    if (seen.has(current)) {
      survey.problem('its chunks are a ring');
      return count;
    }
    seen.add(current);
    survey.owns(current);
    while (at !== tail && tx.read(at + cell.kind) !== 0) {
      if (at < current + chunk.records || at + CELL_WORDS > current + CHUNK_WORDS) {
        survey.problem('a record lies outside of its chunk');
        return count;
      }
      surveyCellInPlace(tx, at, survey);
      count += 1;
      at += CELL_WORDS + wordsBehind(tx, at);
    }
    if (current === tailChunk) break;
    at = tx.read(current + chunk.next) + chunk.records;
  }
  if (tailChunk !== 0 && at !== tail) survey.problem('its records do not lead to its tail');
  return count;
}

function* list(tx: Transaction, first: number, survey: Survey): Generator<number> {
  const seen = new Set<number>();
  for (let at = first; at !== 0; at = tx.read(at + item.next)) {
    if (seen.has(at)) return survey.problem('a list of items is a ring');
    seen.add(at);
    survey.owns(at);
    surveyCellInPlace(tx, at + item.cell, survey);
    yield at;
  }
}
