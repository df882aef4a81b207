// Joins the modules that tsc has compiled into a few files: Node needs 0.3 to 0.7 ms for every module that it loads, in
// every process that is started. docs/decisions/0005-few-files-to-load.md has the numbers.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';

const entries = [
  'index',
  'shared-memory/index',
  'sharedctypes/index',
  'synchronize/index',
  'queues/index',
  'process/index',
  'pool/index',
  'managers/index',
  'process/child-main',
  'cli/main',
];

rmSync('dist', { recursive: true, force: true });
await build({
  entryPoints: {
    ...Object.fromEntries(entries.map((entry) => [entry, `build/src/${entry}.js`])),
    'process/wait-helper': 'build/src/heap/wait-helper.js',
    'process/lease-worker': 'build/src/redis/lease-worker.js',
    'process/pool-worker': 'build/src/pool/pool-worker.js',
    'process/pool-tasks': 'build/src/redis/pool-tasks.js',
    'process/server-main': 'build/src/managers/server-main.js',
  },
  outdir: 'dist',
  bundle: true,
  splitting: true, // one instance of everything, whichever entry it is reached by
  chunkNames: 'process/[name]-[hash]', // beside child-main.js, wait-helper.js and the others, which they find relative to themselves
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: ['koffi', 'ioredis', 'redis'],
  sourcemap: true,
  logLevel: 'warning',
});
