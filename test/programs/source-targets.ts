// What functions that travel as their source use of other modules.
export function add(a: number, b: number): number {
  return a + b;
}

export class Counter {
  constructor(readonly value: number) {}
}
