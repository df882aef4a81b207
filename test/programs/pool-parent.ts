// Makes a pool, says who its workers are, and ends in some way.
import { isMainProcess, Pool } from 'multiprocess';
import { sleep, spin, square } from './pool-targets.js';

if (isMainProcess) {
  const pool = new Pool(2);
  await pool.map(square, [1, 2, 3, 4], { chunksize: 1 });
  console.log(`workers ${JSON.stringify(pool.stats().workers.map(({ pid }) => pid))}`);
  const how = process.argv[2];
  if (how === 'busy') void pool.apply(sleep, [150]).then((ms) => console.log(`done ${ms}`));
  if (how === 'spin') await pool.map(spin, [1e9, 1e9], { chunksize: 1 });
}
