// Up to so many objects, looking through them takes less time than a Map.
const FEW = 16;

/** The objects met on the walk through a value, numbered in the order of their meeting. */
export class MetObjects {
  #order: (object | undefined)[] = [];
  #size = 0;
  /** The numbers by object, once there are many. */
  #numbers: Map<object, number> | undefined;

  get size(): number {
    return this.#size;
  }

  /** @returns -1 for an object that has not been met. */
  numberOf(object: object): number {
    if (this.#numbers !== undefined) return this.#numbers.get(object) ?? -1;
    const order = this.#order;
    for (let i = 0; i < this.#size; i++) if (order[i] === object) return i;
    return -1;
  }

  add(object: object): void {
    const order = this.#order;
    order[this.#size] = object;
    this.#size += 1;
    if (this.#numbers !== undefined) this.#numbers.set(object, this.#size - 1);
    else if (this.#size > FEW)
      this.#numbers = new Map(order.slice(0, this.#size).map((each, number) => [each!, number]));
  }

  /** Forgets the objects from this number on. @returns them. */
  forget(from: number): object[] {
    const forgotten = this.#order.slice(from, this.#size) as object[];
    for (let i = from; i < this.#size; i++) this.#order[i] = undefined;
    this.#size = from;
    for (const object of forgotten) this.#numbers?.delete(object);
    return forgotten;
  }

  /** Forgets all. */
  clear(): void {
    if (this.#numbers !== undefined) {
      this.#numbers = undefined;
      this.#order = [];
    }
    // Setting a length takes longer than this for the few that most have.
    for (let i = 0; i < this.#size; i++) this.#order[i] = undefined;
    this.#size = 0;
  }
}
