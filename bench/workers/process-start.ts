import { Process } from 'multiprocess';
import { check, secondsSince, serve } from '../harness/serve.js';
import { noop } from '../targets/noop.js';
import { noopImporting } from '../targets/noop-importing.js';

const target = process.argv[2] === 'noop-importing' ? noopImporting : noop;

await serve(async (count) => {
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const child = new Process({ target });
    child.start();
    await child.join();
    check(child.exitCode === 0, `exit code ${child.exitCode}`);
    child.close();
  }
  return secondsSince(start);
});
