import { fileURLToPath } from 'node:url';
import { Piscina } from 'piscina';
import { check, secondsSince, serve } from '../harness/serve.js';

// The same tasks in two threads, each handed over by itself: piscina knows no chunks.
const count = Number(process.argv[2] ?? 10_000);
const filename = fileURLToPath(new URL('../targets/pool-tasks.js', import.meta.url));
const pool = new Piscina({ filename, name: 'identity', minThreads: 2, maxThreads: 2 });
const numbers = Array.from({ length: count }, (_, i) => i);

await serve(async (maps) => {
  const start = performance.now();
  for (let i = 0; i < maps; i++) {
    const results = await Promise.all(numbers.map((n) => pool.run(n)));
    check(results.at(-1) === count - 1, 'numbers');
  }
  return secondsSince(start);
});

await pool.destroy();
