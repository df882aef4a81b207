import { Pool } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';
import { identity, lengthOf } from '../targets/pool-tasks.js';

// How long it takes until all results of a map are there.
const [what, count = '10000'] = process.argv.slice(2);
const pool = new Pool(2);
const large = what === 'large';
const numbers = Array.from({ length: Number(count) }, (_, i) => i);
const arrays = Array.from({ length: large ? Number(count) : 0 }, () => new Float64Array(131_072).fill(1));

await serve(async (maps) => {
  const start = performance.now();
  for (let i = 0; i < maps; i++) {
    if (large) {
      const lengths = await pool.map(lengthOf, arrays);
      check(lengths.length === arrays.length && lengths.at(-1) === 131_072, 'lengths');
    } else {
      const options = what === 'single' ? { chunksize: 1 } : {};
      check((await pool.map(identity, numbers, options)).at(-1) === numbers.length - 1, 'numbers');
    }
  }
  return secondsSince(start);
});

await pool.terminate();
