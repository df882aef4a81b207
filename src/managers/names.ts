import { handleOf, open } from '../codec/index.js';
import { type DictProxy, transact } from '../collections/index.js';
import { NameConflictError, StaleHandleError, ValueError } from '../errors/index.js';
import { formatPlace, makeIn, Place, root } from '../heap/internal.js';
import { BaseManager } from './base-manager.js';
import type { Link } from './link.js';

// The named objects of a manager are in a dict in its heap, so that getting one takes no word with the server. The dict refers
// to them: they live as long as the manager.

const MOST_NAME_LENGTH = 255;
const directories = new WeakMap<Link, DictProxy<string, object>>();

/** An option of everything that a manager makes. */
export interface Named {
  /**
   * Get the object of that name, or make it: what else is asked for counts only when it is made. Up to 255 characters.
   * Default: an object that only those have who are given it.
   */
  name?: string | undefined;
}

/**
 * An object in the manager's heap: a new one, or the one of that name.
 *
 * @param kind how its handle begins behind `mp:`.
 * @throws NameConflictError when the name is that of an object of another kind; TypeError, ValueError for wrong names;
 * ManagerNotStartedError, ManagerClosedError.
 */
export function makeOrFind<T extends object>(
  manager: BaseManager,
  options: Named | undefined,
  kind: RegExp,
  make: () => T,
): T {
  const link = BaseManager.linkOf(manager);
  link.check();
  const name = nameIn(options);
  if (name === undefined) return makeIn(link.heap, make);
  const directory = directoryOf(link);
  const found = find(directory, name) ?? directory.setdefault(name, makeIn(link.heap, make));
  if (!kind.test(handleOf(found).slice('mp:'.length))) {
    throw new NameConflictError(
      `The name '${name}' is that of another kind of object in this manager. Choose another name.`,
    );
  }
  return found as T;
}

/** One that has been disposed of frees its name. */
function find(directory: DictProxy<string, object>, name: string): object | undefined {
  try {
    return directory.get(name);
  } catch (error) {
    if (!(error instanceof StaleHandleError)) throw error;
  }
  return transact(directory, (entries) => {
    try {
      return entries.get(name);
    } catch (error) {
      if (!(error instanceof StaleHandleError)) throw error;
      entries.delete(name);
      return undefined;
    }
  });
}

function nameIn(options: Named | undefined): string | undefined {
  if (options === undefined) return undefined;
  if (typeof options !== 'object' || options === null) throw new TypeError('The options are an object, { name }.');
  const { name } = options;
  if (name === undefined) return undefined;
  if (typeof name !== 'string') throw new TypeError(`The name of an object is a string; got ${typeof name}.`);
  if (name.length === 0 || name.length > MOST_NAME_LENGTH) {
    throw new ValueError(`The name of an object has 1 to ${MOST_NAME_LENGTH} characters; got ${name.length}.`);
  }
  return name;
}

function directoryOf(link: Link): DictProxy<string, object> {
  let directory = directories.get(link);
  if (directory === undefined) {
    const { heap, at } = link.place;
    const address = heap.memory.load(at.address + root.b);
    const serial = heap.memory.load(at.address + root.c);
    directory = open(`mp:dict:${formatPlace(new Place(heap, { address, serial }))}`) as DictProxy<string, object>;
    directories.set(link, directory);
  }
  return directory;
}
