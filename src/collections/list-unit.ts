import type { Place } from '../heap/internal.js';
import { type Prepared, prepare } from '../values/internal.js';
import { appendPrepared, makeList } from './list-aside.js';
import { ListOverlay, type OverlayItem } from './list-overlay.js';
import { HeapListStore, type ListStore } from './list-store.js';
import type { Transactable } from './transact.js';

/** A list as its wrapper uses it: the shared one, or within a `transact` what that sees of it. */
export class ListUnit implements Transactable {
  readonly place: Place;
  readonly #shared: HeapListStore;
  /** Where all operations go. */
  store: ListStore;
  #overlay: ListOverlay | undefined;

  constructor(place: Place) {
    this.place = place;
    this.#shared = new HeapListStore(place);
    this.store = this.#shared;
  }

  begin(): void {
    this.#overlay = new ListOverlay(this.place);
    this.store = this.#overlay;
  }

  publish(): boolean {
    this.store = this.#shared;
    return publishOverlay(this.place, this.#shared, this.#overlay!);
  }

  end(): void {
    this.store = this.#shared;
    this.#overlay?.drop();
    this.#overlay = undefined;
  }
}

/** Replaces what lies between the elements that have stayed where they were, at both ends. */
function publishOverlay({ heap }: Place, shared: HeapListStore, overlay: ListOverlay): boolean {
  const { snapshot, items } = overlay;
  if (snapshot === undefined) return true;
  const before = snapshot.cells.length;
  const most = Math.min(before, items.length);
  let start = 0;
  while (start < most && items[start] === start) start += 1;
  let kept = 0;
  while (kept < most - start && items[items.length - 1 - kept] === before - 1 - kept) kept += 1;
  const removed = before - start - kept;
  const middle = items.slice(start, items.length - kept);
  if (removed === 0 && middle.length === 0) return true;

  const own: Prepared[] = [];
  // One that has only moved is stored again, as a copy of itself.
  const preparedOf = (item: OverlayItem): Prepared => {
    if (typeof item !== 'number') return item;
    const prepared = prepare(heap, overlay.valueOf(item)).keep();
    own.push(prepared);
    return prepared;
  };
  const source = makeList(heap);
  try {
    appendPrepared(heap, source, middle.map(preparedOf));
    return shared.replaceUnlessChanged(snapshot, start, removed, source);
  } finally {
    for (const prepared of own) prepared.release();
    heap.release(source.address);
  }
}
