import { BODY, BURIAL_ROOM, registerContents, rootKind } from '../heap/internal.js';
import { CELL_WORDS, dropCell, surveyCell } from '../values/internal.js';
import { BORROWED, body, stretchOf } from './list-layout.js';

// What the heap must know of lists: how they end, and how they are checked.

registerContents(rootKind.list, {
  bury(tx, address) {
    const at = tx.read(address + BODY);
    if (at === 0) return true;
    const borrowed = (tx.read(at + body.flags) & BORROWED) !== 0;
    // From the end, and the words say after each part what is left.
    for (let chunks = tx.read(at + body.chunks); chunks > 0; chunks--) {
      if (tx.room < BURIAL_ROOM) return false;
      const { chunk, cells, count } = stretchOf(tx, at, chunks - 1);
      const others = tx.read(at + body.count) - count;
      let left = borrowed ? 0 : count;
      for (; left > 0 && tx.room >= BURIAL_ROOM; left--) dropCell(tx, cells + (left - 1) * CELL_WORDS);
      tx.write(at + body.count, others + left);
      if (left > 0) return false;
      tx.free(chunk);
      tx.write(at + body.chunks, chunks - 1);
    }
    if (tx.room < BURIAL_ROOM) return false;
    const directory = tx.read(at + body.directory);
    if (directory !== 0) tx.free(directory);
    tx.free(at);
    tx.write(address + BODY, 0);
    return true;
  },

  survey(tx, address, survey) {
    const at = tx.read(address + BODY);
    if (at === 0) return;
    survey.owns(at);
    const directory = tx.read(at + body.directory);
    if (directory !== 0) survey.owns(directory);
    const chunks = tx.read(at + body.chunks);
    if (tx.read(at + body.first) + chunks > tx.read(at + body.room)) survey.problem('its directory is too short');
    const borrowed = (tx.read(at + body.flags) & BORROWED) !== 0;
    let found = 0;
    for (let n = 0; n < chunks; n++) {
      const { chunk, cells, count } = stretchOf(tx, at, n);
      survey.owns(chunk);
      for (let i = 0; i < count && !borrowed; i++) surveyCell(tx, cells + i * CELL_WORDS, survey);
      found += count;
    }
    const count = tx.read(at + body.count);
    if (found !== count) survey.problem(`${count} elements are counted and ${found} found`);
  },
});
