import type { Row, Scale } from '../harness/row.js';
import { bulkCopyRows } from './bulk-copy.js';
import { codecRows } from './codec.js';
import { dictRows } from './dict.js';
import { heapRows } from './heap.js';
import { lockRows } from './lock.js';
import { managerRows } from './managers.js';
import { namespaceRows } from './namespace.js';
import { poolRows } from './pool.js';
import { processStartRows } from './process-start.js';
import { queueRows } from './queues.js';
import { redisRows } from './redis.js';
import { shareableListRows } from './shareable-list.js';
import { sharedListRows } from './shared-list.js';
import { sharedMemoryCreateRows } from './shared-memory-create.js';
import { synchronizeRows } from './synchronize.js';
import { rawArrayRows, typedValueRows } from './typed-values.js';

export function rows(scale: Scale): Row[] {
  return [
    sharedMemoryCreateRows,
    shareableListRows,
    sharedListRows,
    bulkCopyRows,
    codecRows,
    dictRows,
    namespaceRows,
    heapRows,
    lockRows,
    rawArrayRows,
    typedValueRows,
    synchronizeRows,
    queueRows,
    poolRows,
    processStartRows,
    managerRows,
    redisRows,
  ].flatMap((make) => make(scale));
}
