import type { DictProxy, Queue } from 'multiprocess';
import { dictWork } from '../harness/dict-work.js';
import { bindToProcessor } from './processors.js';

/** Reads as often as it is told, and answers how long that took; until it is told 0. */
export function readDict(dict: DictProxy<number, number>, counts: Queue<number>, done: Queue<number>): void {
  bindToProcessor('last');
  const read = dictWork(dict, 'get', 'number', dict.size);
  done.putSync(1);
  for (let count = counts.getSync(); count > 0; count = counts.getSync()) done.putSync(read(count));
}
