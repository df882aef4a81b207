import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dictWork } from '../harness/dict-work.js';
import { serve } from '../harness/serve.js';

// node ems.js get|set number|object <entries>
const [work, value, entries] = process.argv.slice(2);

interface Store {
  read(key: number): unknown;
  write(key: number, value: unknown): void;
}
interface Ems {
  /** Not a constructor, for all its name. */
  new: (options: object) => Store;
}
const load = createRequire(import.meta.url)('ems') as (threads: number, pin: boolean, kind: string) => Ems;
const ems = load(1, false, 'user');
const name = `multiprocess-bench-${process.pid}`;
process.once('exit', () => {
  for (const file of [name, 'EMS_MainDomain']) rmSync(`/dev/shm/${file}`, { force: true });
});
const store = ems.new({
  dimensions: [2 * Number(entries)],
  heapSize: 1_000_000,
  useMap: true,
  setFEtags: 'full',
  doDataFill: false,
  useExisting: false,
  persist: false,
  filename: `/${name}`,
});
await serve(
  dictWork(
    { get: (key) => store.read(key), set: (key, item) => store.write(key, item) },
    work!,
    value!,
    Number(entries),
  ),
);
process.exit();
