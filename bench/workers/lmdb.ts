import { mkdtempSync, rmSync } from 'node:fs';
import { open } from 'lmdb';
import { dictWork } from '../harness/dict-work.js';
import { serve } from '../harness/serve.js';

// node lmdb.js get|set number|object <entries>
const [work, value, entries] = process.argv.slice(2);
const folder = mkdtempSync('/dev/shm/multiprocess-bench-');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const store = open<unknown, number>({ path: folder, noSync: true });
await serve(
  dictWork(
    { get: (key) => store.get(key), set: (key, item) => store.putSync(key, item) },
    work!,
    value!,
    Number(entries),
  ),
);
await store.close();
