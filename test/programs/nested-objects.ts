// What the processes do that make very many small objects in a manager, nested in each other, and drop them.
import type { DictProxy, ListProxy, SyncManager } from 'multiprocess';
import { collectGarbage } from '../support/gc.js';

/** Objects in one nest. */
export const NEST = 5;
const NESTS_AT_ONCE = 400;
const PLACES = 64;

type Nest = DictProxy<string, unknown>;

function makeNest(manager: SyncManager, i: number): Nest {
  const list = manager.list<unknown>([i, manager.Namespace({ i, text: 'some text' })]);
  const nest = manager.dict<string, unknown>([['list', list]]);
  nest.set('lock', manager.Lock());
  list.append(manager.dict<number, number>([[i, i]]));
  return nest;
}

/**
 * Makes nests until `made[number]` says that there are `count` objects. Some are left in `board`, a dict for all of these
 * processes, where each replaces another one's, and some of the others' are looked into.
 */
export async function makeNests(
  manager: SyncManager,
  board: DictProxy<number, Nest>,
  count: number,
  number: number,
  made: Int32Array,
  lookedInto: Int32Array,
): Promise<void> {
  let kept: unknown[] = [];
  for (let total = Atomics.load(made, number); total < count; total += NEST) {
    const nest = makeNest(manager, total);
    if (total % 3 === 0) board.set(total % PLACES, nest);
    if (total % 7 === 0) {
      const other = board.get((total * 31) % PLACES);
      if (other !== undefined) {
        const list = other.get('list') as ListProxy<unknown>;
        const { i } = list.at(1) as { i: number };
        if (list.at(0) !== i) throw new Error(`${list.at(0)} and ${i} in one nest`);
        Atomics.add(lookedInto, 0, 1);
      }
    }
    kept.push(nest);
    Atomics.store(made, number, total + NEST);
    if (kept.length < NESTS_AT_ONCE) continue;
    kept = [];
    await collectGarbage();
  }
}
