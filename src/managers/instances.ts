import { type FunctionLocation, findFunction, registerSharedKind } from '../codec/internal.js';
import { NameConflictError, StaleHandleError } from '../errors/index.js';
import { formatPlace, type Heap, Place, rootKind } from '../heap/internal.js';
import { type Exposed, exposedBy } from './exposed.js';
import { formatRemote, openRemote } from './remote.js';

// Objects of registered types, which live in the memory of the server. Each has a root in the manager's heap: so it is held,
// handed over and let go of as every other shared object is, by processes, containers and what is in flight. When the root is
// gone, nobody can reach the object any more.

type Class = new (...args: unknown[]) => object;

interface ServedType {
  readonly type: Class;
  readonly where: string;
  readonly exposed: readonly string[] | undefined;
}

interface Served {
  readonly object: object;
  readonly place: Place;
  readonly typeid: string;
  readonly exposed: Exposed;
  /** Called when nobody can reach it any more. */
  readonly gone?: () => void;
}

export class Instances {
  readonly #heap: Heap;
  /** Of the manager, in handles. */
  readonly #manager: () => string;
  readonly #types = new Map<string, ServedType>();
  /** By where their roots are in the heap. */
  readonly #byAddress = new Map<number, Served>();
  readonly #byObject = new WeakMap<object, Served>();
  /** Where one class is registered as several types. */
  readonly #typeids = new WeakMap<object, string>();
  /** Held by this process until the answer in which they are sent is. */
  readonly #fresh: Place[] = [];

  constructor(heap: Heap, manager: () => string) {
    this.#heap = heap;
    this.#manager = manager;
    heap.onTick.add(() => this.sweep());
  }

  get typeids(): string[] {
    return [...this.#types.keys()];
  }

  /** @throws NotShareableError when the module does not export the class; NameConflictError. */
  async register(typeid: string, location: FunctionLocation, exposed: readonly string[] | undefined): Promise<void> {
    const where = JSON.stringify([location, exposed ?? null]);
    const known = this.#types.get(typeid);
    if (known?.where === where) return;
    if (known !== undefined) {
      throw new NameConflictError(`Another type is registered with this manager as '${typeid}'. Choose another name.`);
    }
    const type = findFunction((await import(location.url)) as Record<string, unknown>, location) as unknown as Class;
    if (this.#types.has(typeid)) return this.register(typeid, location, exposed);
    this.#types.set(typeid, { type, where, exposed });
    registerSharedKind({
      kind: 'remote',
      type,
      handle: (object) => this.#handle(this.#serve(object, typeid)),
      places: (object) => [this.#serve(object, typeid).place],
      open: openRemote,
    });
  }

  /** What makes objects of that type. */
  maker(typeid: string): (args: unknown[]) => object {
    const found = this.#types.get(typeid);
    if (found === undefined) throw new TypeError(`No type is registered with this manager as '${typeid}'.`);
    return (args) => {
      const object = new found.type(...args);
      this.#typeids.set(object, typeid);
      return object;
    };
  }

  /** Lets go of what has been given a root of late: from here on, only others hold it. */
  letGo(): void {
    if (this.#fresh.length === 0) return; // as after almost every call
    for (const { at } of this.#fresh.splice(0)) this.#heap.release(at.address);
  }

  /** Gives an object of the server's own a root, as those of registered types have. The caller holds it. */
  enter(object: object, methods: readonly string[], gone: () => void): Place {
    const place = new Place(this.#heap, this.#heap.create(rootKind.instance));
    const exposed = { methods, generators: [] };
    this.#note({ object, place, typeid: object.constructor.name, exposed, gone });
    return place;
  }

  /** @throws StaleHandleError when it is gone. */
  find(address: number, serial: number): Served {
    const served = this.#byAddress.get(address);
    if (served?.place.at.serial !== serial || !this.#heap.exists(served.place.at)) {
      throw new StaleHandleError('The object in the manager that was meant exists no more.');
    }
    return served;
  }

  /** Forgets what nobody can reach any more. */
  sweep(): void {
    for (const [address, served] of this.#byAddress) {
      if (!this.#heap.left && !this.#heap.exists(served.place.at)) this.#forget(address);
    }
  }

  get count(): number {
    return this.#byAddress.size;
  }

  #serve(object: object, ofClass: string): Served {
    const typeid = this.#typeids.get(object) ?? ofClass;
    const known = this.#byObject.get(object);
    if (known !== undefined && this.#heap.exists(known.place.at)) return known;
    const place = new Place(this.#heap, this.#heap.create(rootKind.instance));
    this.#fresh.push(place);
    const served = { object, place, typeid, exposed: exposedBy(object, this.#types.get(typeid)?.exposed) };
    this.#byObject.set(object, served);
    this.#note(served);
    return served;
  }

  #note(served: Served): void {
    const { address } = served.place.at;
    // The root of one that is gone may be in use again before anybody has looked.
    this.#forget(address);
    this.#byAddress.set(address, served);
  }

  #forget(address: number): void {
    const served = this.#byAddress.get(address);
    if (served === undefined) return;
    this.#byAddress.delete(address);
    if (this.#byObject.get(served.object) === served) this.#byObject.delete(served.object);
    served.gone?.();
  }

  #handle({ place, typeid, exposed }: Served): string {
    return formatRemote({ place: formatPlace(place), typeid, exposed, manager: this.#manager() });
  }
}
