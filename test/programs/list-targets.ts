// What the processes do that the tests of shared lists start.
import { type ListProxy, transact } from 'multiprocess';
import { History } from '../support/history.js';
import { line } from '../support/models.js';
import { randomFrom } from '../support/random.js';

export function appendNumbers(list: ListProxy<number>, from: number, count: number): void {
  for (let i = 0; i < count; i++) list.append(from + i);
}

export function increment(list: ListProxy<number>, times: number): void {
  for (let i = 0; i < times; i++) list.compute(i % 2, (old) => old + 1);
}

/** As CPython's documentation does with a managed list. */
export function squareAndReverse(list: ListProxy<number>): number {
  for (let i = 0; i < list.length; i++) list.set(i, list.get(i) ** 2);
  list.reverse();
  return list.length;
}

export function innerOf(list: ListProxy): unknown[] {
  list.get(0).append('from the child');
  return list.get(0).copy();
}

export function returnsItself(list: ListProxy): ListProxy {
  return list;
}

export function dropsAndMakes(list: ListProxy<unknown>, other: ListProxy<unknown>): void {
  list.append(other);
  list.append([other, { deep: other }]);
}

const zero = (_: void) => 0;

/** Works at both ends, and writes down what it did. */
export function record(list: ListProxy<number>, log: Float64Array, seed: number): void {
  const random = randomFrom(seed);
  const history = new History(log);
  for (let i = 0; !history.isFull; i++) {
    const value = seed * 100_000 + i + 1;
    switch (Math.floor(random() * 5)) {
      case 0:
      case 1:
        history.record(line.append, 0, value, () => zero(list.append(value)));
        break;
      case 2:
        history.record(line.takeFirst, 0, 0, () => list.pop(0) ?? 0);
        break;
      case 3:
        history.record(line.takeLast, 0, 0, () => list.pop() ?? 0);
        break;
      default:
        if (random() < 0.5) history.record(line.length, 0, 0, () => list.length);
        else history.record(line.prepend, 0, value, () => zero(list.insert(0, value)));
    }
  }
}

/** Changes all elements at once, again and again: they are alike at every instant. */
export function changeAll(list: ListProxy<string>, stop: Int32Array, text: string): number {
  let rounds = 0;
  for (; Atomics.load(stop, 0) === 0; rounds++) {
    const length = list.length;
    list.splice(0, length, ...new Array<string>(rounds % 300).fill(`${text} ${rounds % 10}`));
  }
  return rounds;
}

/** Takes from either end and puts to the other: within each there is always one too few. */
export function moveBetweenEnds(list: ListProxy<number>, times: number): void {
  for (let i = 0; i < times; i++) {
    transact(list, (inside) => {
      if (i % 2 === 0) inside.append(inside.pop(0)!);
      else inside.insert(0, inside.pop()!);
      if (inside.length !== 20) throw new Error(`There are ${inside.length} elements.`);
    });
  }
}
