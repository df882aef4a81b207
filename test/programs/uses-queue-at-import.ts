// A module that puts into a queue and takes from it while it is imported.
import { Queue } from 'multiprocess';

const queue = new Queue<string>();
queue.putSync('knock knock');
export const found: string = queue.getSync({ timeout: 3000 });
queue.close();
