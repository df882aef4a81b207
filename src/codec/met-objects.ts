// Up to so many objects, looking through them takes less time than a Map.
const FEW = 16;

/** The objects met on the walk through a value, numbered in the order of their meeting. */
export class MetObjects {
  readonly #order: object[] = [];
  /** The numbers by object, once there are many. */
  #numbers: Map<object, number> | undefined;

  get size(): number {
    return this.#order.length;
  }

  /** @returns -1 for an object that has not been met. */
  numberOf(object: object): number {
    if (this.#numbers !== undefined) return this.#numbers.get(object) ?? -1;
    const order = this.#order;
    for (let i = 0; i < order.length; i++) if (order[i] === object) return i;
    return -1;
  }

  add(object: object): void {
    const order = this.#order;
    order.push(object);
    if (this.#numbers !== undefined) this.#numbers.set(object, order.length - 1);
    else if (order.length > FEW) this.#numbers = new Map(order.map((each, number) => [each, number]));
  }

  /** Forgets the objects from this number on. @returns them. */
  forget(from: number): object[] {
    const forgotten = this.#order.splice(from);
    for (const object of forgotten) this.#numbers?.delete(object);
    return forgotten;
  }
}
