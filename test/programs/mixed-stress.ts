// What each process of test/mixed/random-kills.test.ts does until it is told to stop, or dies: random operations on dicts, lists,
// a namespace and queues, each noted in a book outside the heap before and after.
import {
  type DictProxy,
  type Lease,
  type ListProxy,
  Lock,
  type Queue,
  SharedDict,
  SharedList,
  type SharedMemory,
  transact,
} from 'multiprocess';
import { Book, cells, counters } from '../support/book.js';
import { randomFrom } from '../support/random.js';

/** What all of them share. Each cell of the dict, the namespace and the list has one writer at a time, and many readers. */
export interface World {
  readonly dict: DictProxy<string, unknown>;
  readonly namespace: Record<string, unknown>;
  readonly list: ListProxy<unknown>;
  /** Counters that all add to, each in a way of its own. */
  readonly counts: DictProxy<string, number>;
  readonly cache: DictProxy<number, unknown>;
  /** Items go in and come out. */
  readonly bag: ListProxy<Item>;
  readonly plain: Queue<Item>;
  readonly leased: Queue<Item>;
}

/** Who made it, its number, and something that can be told from its number. */
export type Item = [who: number, number: number, more?: unknown];

export const CACHE_SIZE = 32;
const BAG_SIZE = 40;
const WAIT_MS = 5;
const PAIR = 2; // the first two cells of each place are written together

/** What is done at random; the book knows each by its index, plus one. */
export const OPERATIONS = [
  'writeCell',
  'writePair',
  'writeElements',
  'readCell',
  'readAll',
  'count',
  'useCache',
  'nest',
  'addToBag',
  'takeFromBag',
  'replaceInBag',
  'mixBag',
  'put',
  'take',
  'putForLease',
  'lease',
] as const;
/** In which of them a death may lose one item: it has been taken, and that was not noted. */
export const MAY_LOSE: readonly (typeof OPERATIONS)[number][] = ['takeFromBag', 'replaceInBag', 'take'];

const turn = () => new Promise((resolve) => setImmediate(resolve));
const codeOf = (error: unknown) => (error as { code?: string }).code;

/** The content of a cell in its `version`. Undefined: there is none. */
export function contentOf(version: number): unknown {
  if (version === 0) return undefined;
  switch (version % 6) {
    case 0:
      return version;
    case 1:
      return { version, text: 'x'.repeat((version * 37) % 3000) };
    case 2:
      return [version, new Uint8Array((version * 61) % 5000).fill(version)];
    case 3:
      return { version, inner: SharedList([version, { again: version }]) };
    case 4:
      return String(version);
    default:
      return undefined;
  }
}

/** The version that some content is of. @throws Error if it is of none: torn, say. */
export function versionOf(content: unknown): number | undefined {
  if (content === undefined) return undefined;
  if (typeof content === 'number') return content;
  if (typeof content === 'string') return Number(content);
  const wrong = () => new Error(`There never was such a value: ${JSON.stringify(content).slice(0, 200)}`);
  if (Array.isArray(content)) {
    const [version, bytes] = content as [number, Uint8Array];
    if (bytes.length !== (version * 61) % 5000 || bytes.some((byte) => byte !== (version & 255))) throw wrong();
    return version;
  }
  const { version, text, inner } = content as { version: number; text?: string; inner?: ListProxy };
  if (inner === undefined) {
    if (text?.length !== (version * 37) % 3000) throw wrong();
  } else if (inner.length !== 2 || inner.get(0) !== version || inner.get(1).again !== version) throw wrong();
  return version;
}

/** Whether that content may be seen of a cell that had been written up to `least`, and was begun to be up to `most`. */
export function mayBe(content: unknown, least: number, most: number): boolean {
  const version = versionOf(content);
  if (version !== undefined) return version >= least && version <= most;
  for (let one = least; one <= most; one++) if (one === 0 || one % 6 === 5) return true;
  return false;
}

/** A number of an item's own, and what it has with it. */
function itemOf(who: number, number: number): Item {
  if (number % 11 === 0) return [who, number, SharedDict([[number, new Lock()]])];
  if (number % 301 === 0) return [who, number, new Uint8Array(70_000)];
  if (number % 5 === 0) return [who, number, 'x'.repeat(number % 3000)];
  return [who, number];
}

/** @throws Error for what was never put. */
export function numberOf([who, number, more]: Item): number {
  const isWhole =
    number % 11 === 0
      ? (more as DictProxy).get(number) instanceof Lock
      : number % 301 === 0
        ? (more as Uint8Array).length === 70_000
        : number % 5 === 0
          ? more === 'x'.repeat(number % 3000)
          : more === undefined;
  if (!isWhole) throw new Error(`An item is not whole: ${[who, number]}`);
  return number;
}

/** The cells of a place: how they are read and written. */
export function cellsOf(world: World, place: number) {
  const { dict, namespace, list } = world;
  return Array.from({ length: cells.all }, (_, cell) => {
    const name = `${place}:${cell}`;
    if (cell < cells.dict) {
      return {
        read: () => dict.get(name),
        write(content: unknown, random: number, before: number) {
          const way = Math.floor(random * 4);
          if (content === undefined) {
            if (way === 0) dict.compute(name, () => undefined);
            else if (way === 1) dict.pop(name);
            else dict.delete(name);
          } else if (way === 0) dict.compute(name, () => content as never);
          else if (way === 1 && before % 6 !== 3) {
            if (!dict.compareAndSet(name, contentOf(before), content)) throw new Error(`${name} was not ${before}`);
          } else if (way === 2 && contentOf(before) === undefined) dict.setdefault(name, content);
          else dict.set(name, content);
        },
      };
    }
    if (cell < cells.dict + cells.namespace) {
      return {
        read: () => namespace[name],
        write(content: unknown) {
          if (content === undefined) delete namespace[name];
          else namespace[name] = content;
        },
      };
    }
    const index = place * cells.list + cell - cells.dict - cells.namespace;
    return {
      read: () => list.get(index) ?? undefined,
      write(content: unknown, random: number) {
        if (random < 0.3) list.compute(index, () => content ?? null);
        else if (random < 0.6) list.splice(index, 1, content ?? null);
        else list.set(index, content ?? null);
      },
    };
  });
}

class Stress {
  readonly #world: World;
  readonly #book: Book;
  readonly #place: number;
  readonly #who: number;
  readonly #random: () => number;
  readonly #cells: ReturnType<typeof cellsOf>[];
  /** The last number taken of each producer: they come in order. */
  readonly #last = new Map<number, number>();

  constructor(world: World, book: Book, place: number, who: number, seed: number) {
    this.#world = world;
    this.#book = book;
    this.#place = place;
    this.#who = who;
    this.#random = randomFrom(seed);
    this.#cells = Array.from({ length: book.places }, (_, at) => cellsOf(world, at));
  }

  #below(most: number): number {
    return Math.floor(this.#random() * most);
  }

  async run(): Promise<void> {
    const own = this.#cells[this.#place]!;
    this.#book.settle(this.#place, (cell, version) => mayBe(own[cell]!.read(), version, version));
    this.#book.takeOver(this.#place);
    for (let round = 0; !this.#book.stopped; round++) {
      const at = this.#below(OPERATIONS.length);
      await this.#book.during(this.#place, 1 + at, () => this[OPERATIONS[at]!]());
      if (round % 32 === 0) await turn();
    }
  }

  writeCell(): void {
    const cell = PAIR + this.#below(cells.all - PAIR);
    const before = this.#book.acknowledged(this.#place, cell);
    this.#book.write(this.#place, [cell], (version) => {
      this.#cells[this.#place]![cell]!.write(contentOf(version), this.#random(), before);
    });
  }

  /** Both or none; and a counter of another container, as often as the function is called. */
  writePair(): void {
    this.#book.write(this.#place, [0, 1], (version) => {
      const content = contentOf(version);
      transact(this.#world.dict, (dict) => {
        for (const cell of [0, 1]) {
          if (content === undefined) dict.delete(`${this.#place}:${cell}`);
          else dict.set(`${this.#place}:${cell}`, content);
        }
        this.#world.counts.increment('beside');
      });
    });
  }

  /** Several list elements at once. */
  writeElements(): void {
    const first = cells.dict + cells.namespace;
    const { list } = this.#world;
    this.#book.write(this.#place, [first, first + 1], (version) => {
      transact(list, () => {
        const at = this.#place * cells.list;
        if (this.#random() < 0.5) list.splice(at, 2, contentOf(version) ?? null, contentOf(version) ?? null);
        else for (const index of [at, at + 1]) list.set(index, contentOf(version) ?? null);
      });
    });
  }

  readCell(): void {
    const place = this.#below(this.#book.places);
    const cell = this.#below(cells.all);
    const least = this.#book.acknowledged(place, cell);
    const content = this.#cells[place]![cell]!.read();
    const most = this.#book.begun(place, cell);
    const version = versionOf(content);
    if (!mayBe(content, least, most)) {
      throw new Error(`Cell ${cell} of ${place} is ${version}, not from ${least} to ${most}`);
    }
    if (version !== undefined) this.#book.seen(place, cell, version);
  }

  /** All of one instant. */
  readAll(): void {
    const { dict, list } = this.#world;
    const places = Array.from({ length: this.#book.places }, (_, place) => place);
    const least = places.map((place) =>
      [0, cells.dict + cells.namespace].map((c) => this.#book.acknowledged(place, c)),
    );
    const entries = new Map(dict.entries());
    const elements = list.copy();
    for (const place of places) {
      const at = place * cells.list;
      const pairs = [
        [entries.get(`${place}:0`), entries.get(`${place}:1`)],
        [elements[at] ?? undefined, elements[at + 1] ?? undefined],
      ];
      for (const [which, [one, other]] of pairs.entries()) {
        const [a, b] = [versionOf(one), versionOf(other)];
        // The elements of a list are also written one by one.
        if (which === 0 && a !== b) throw new Error(`A pair is ${a} and ${b}`);
        const most = this.#book.begun(place, which === 0 ? 0 : cells.dict + cells.namespace);
        if (!mayBe(one, least[place]![which]!, most)) throw new Error(`In a snapshot: ${a}, of ${most}`);
      }
    }
  }

  count(): void {
    const { counts } = this.#world;
    const which = this.#below(counters.length);
    const name = counters[which]!;
    this.#book.count(this.#place, which, () => {
      if (name === 'increment') counts.increment(name);
      else if (name === 'compute') counts.compute(name, (old) => (old ?? 0) + 1);
      else if (name === 'transact') transact(counts, () => counts.set(name, counts.get(name, 0) + 1));
      else {
        for (;;) {
          const old = counts.get(name);
          if (counts.compareAndSet(name, old, (old ?? 0) + 1)) break;
        }
      }
    });
  }

  useCache(): void {
    const { cache } = this.#world;
    const key = this.#below(100);
    if (this.#random() < 0.5) cache.set(key, [key, 'x'.repeat(key * 10)], key % 3 === 0 ? { ttl: 1 + key } : undefined);
    const found = cache.get(key) as [number, string] | undefined;
    if (found !== undefined && (found[0] !== key || found[1].length !== key * 10)) throw new Error(`cache: ${found}`);
    if (cache.size > CACHE_SIZE) throw new Error(`${cache.size} are in the cache`);
  }

  /** Containers in each other, in circles too. */
  nest(): void {
    const { world, key } = { world: this.#world, key: `nested ${this.#below(3)}` };
    const all: readonly unknown[] = Object.values(world);
    if (this.#random() < 0.3) world.dict.delete(key);
    else if (this.#random() < 0.5) world.dict.set(key, all[this.#below(all.length)]);
    const found = world.dict.get(key);
    if (found !== undefined && !all.includes(found)) throw new Error('A shared object has come out as another.');
  }

  addToBag(): void {
    const { bag } = this.#world;
    if (bag.length > BAG_SIZE) return;
    const way = this.#below(4);
    this.#book.put(way === 0 ? 3 : 1, (numbers) => {
      const items = numbers.map((number) => itemOf(this.#who, number));
      if (way === 0) bag.extend(items);
      else if (way === 1) bag.insert(this.#below(10), items[0]!);
      else if (way === 2) bag.push(items[0]!);
      else bag.append(items[0]!);
    });
  }

  takeFromBag(): void {
    const { bag } = this.#world;
    const way = this.#below(4);
    if (way < 2) {
      const item = bag.pop(way === 0 ? 0 : -1);
      if (item !== undefined) this.#book.taken(numberOf(item));
      return;
    }
    if (way === 2) {
      for (const item of bag.splice(this.#below(5), 1)) this.#book.taken(numberOf(item));
      return;
    }
    const item = bag.at(this.#below(10));
    if (item === undefined) return;
    try {
      bag.remove(item);
    } catch (error) {
      if (codeOf(error) === 'ERR_MULTIPROCESS_VALUE') return; // somebody was faster
      throw error;
    }
    this.#book.taken(numberOf(item));
  }

  /** One comes in for the one that goes out, and both or neither have happened. */
  replaceInBag(): void {
    const { bag } = this.#world;
    this.#book.put(1, ([number]) => {
      const item = itemOf(this.#who, number!);
      const out = transact(bag, () => {
        const first = bag.pop(0);
        bag.append(item);
        return first;
      });
      if (out !== undefined) this.#book.taken(numberOf(out));
    });
  }

  /** Nothing comes or goes. */
  mixBag(): void {
    const { bag } = this.#world;
    const way = this.#below(4);
    if (way === 0) bag.reverse();
    else if (way === 1) bag.sort(([, a], [, b]) => a - b);
    else if (way === 2) {
      transact(bag, () => {
        const item = bag.pop();
        if (item !== undefined) bag.insert(0, item);
      });
    } else {
      const numbers = bag.slice().map(numberOf);
      if (new Set(numbers).size !== numbers.length) throw new Error(`The bag has something twice: ${numbers}`);
    }
  }

  async #putInto(queue: Queue<Item>): Promise<void> {
    const way = this.#below(8);
    await this.#book.putOne(queue === this.#world.leased, async (number) => {
      const item = itemOf(this.#who, number);
      if (way > 1) return queue.tryPut(item);
      try {
        if (way === 1) queue.putSync(item, { timeout: WAIT_MS });
        else await queue.put(item, { timeout: WAIT_MS });
        return true;
      } catch (error) {
        if (codeOf(error) === 'ERR_MULTIPROCESS_QUEUE_FULL') return false;
        throw error;
      }
    });
  }

  async put(): Promise<void> {
    await this.#putInto(this.#world.plain);
  }

  async putForLease(): Promise<void> {
    await this.#putInto(this.#world.leased);
  }

  async take(): Promise<void> {
    const { plain } = this.#world;
    const way = this.#below(8);
    let item: Item;
    if (way > 1) {
      const found = plain.tryGet();
      if (found === undefined) return;
      item = found.value;
    } else {
      try {
        item = way === 1 ? plain.getSync({ timeout: WAIT_MS }) : await plain.get({ timeout: WAIT_MS });
      } catch (error) {
        if (codeOf(error) === 'ERR_MULTIPROCESS_QUEUE_EMPTY') return;
        throw error;
      }
    }
    this.#book.taken(numberOf(item));
    const [who, number] = item;
    const last = this.#last.get(who) ?? -1;
    if (number <= last) throw new Error(`${number} of ${who} has come after ${last}`);
    this.#last.set(who, number);
  }

  async lease(): Promise<void> {
    const { leased } = this.#world;
    const way = this.#below(8);
    let lease: Lease<Item> | undefined;
    try {
      if (way > 1) lease = leased.tryGet({ lease: true });
      else if (way === 1) lease = leased.getSync({ lease: true, timeout: WAIT_MS });
      else lease = await leased.get({ lease: true, timeout: WAIT_MS });
    } catch (error) {
      if (codeOf(error) !== 'ERR_MULTIPROCESS_QUEUE_EMPTY') throw error;
    }
    if (lease === undefined) return;
    const number = numberOf(lease.value);
    if (this.#below(8) === 0) return lease.giveBack();
    // Nobody acknowledges it twice: so it comes at most once more than it was marked.
    this.#book.taken(number, lease.deliveries);
    lease.ack();
  }
}

/**
 * @param place whose cells are its own; `who` is another number each time.
 * @throws what went wrong.
 */
export async function stress(
  world: World,
  notes: SharedMemory,
  place: number,
  who: number,
  seed: number,
): Promise<string> {
  await new Stress(world, new Book(notes), place, who, seed).run();
  return 'well';
}
