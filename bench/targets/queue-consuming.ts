import type { Queue } from 'multiprocess';
import { bindToProcessor } from './processors.js';

/** Says that it is there; takes as many messages as it is told, and says that it has, until it is told to end. */
export function takeAll(messages: Queue, counts: Queue<number>, done: Queue<number>): void {
  bindToProcessor('last');
  done.putSync(0);
  for (let count = counts.getSync(); count > 0; count = counts.getSync()) {
    let length = 0;
    for (let i = 0; i < count; i++) {
      const message = messages.getSync() as number | Uint8Array;
      length = typeof message === 'number' ? message : message.length;
    }
    done.putSync(length);
  }
}

/** Says that it is there; sends each message back, until it gets −1. */
export function sendBack(requests: Queue<number>, answers: Queue<number>): void {
  bindToProcessor('last');
  answers.putSync(0);
  for (let message = requests.getSync(); message >= 0; message = requests.getSync()) answers.putSync(message);
}
