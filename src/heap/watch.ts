import type { Heap } from './heap.js';
export interface Watch {
  cancel(): void;
}
export function watchWord(_heap: Heap, _address: number, _expected: number, changed: () => void): Watch {
  const timer = setTimeout(changed, 1);
  return { cancel: () => clearTimeout(timer) };
}
