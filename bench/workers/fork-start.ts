import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { check, secondsSince, serve } from '../harness/serve.js';

const script = fileURLToPath(new URL(`../targets/${process.argv[2]}`, import.meta.url));

await serve(async (count) => {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const [code] = await once(fork(script), 'exit');
    check(code === 0, `exit code ${code}`);
  }
  return secondsSince(start);
});
