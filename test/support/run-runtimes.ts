// Runs the smoke suite on the other supported versions of Node, fetched from npm. Arguments choose versions: 22 24 26.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { projectRoot } from './paths.js';

const versions = process.argv.length > 2 ? process.argv.slice(2) : ['22', '24', '26'];
const folder = `${projectRoot}node_modules/.runtimes`;
const suite = fileURLToPath(new URL('./run-suite.js', import.meta.url));
const smoke = [
  'sharedctypes/',
  'synchronize/lock.test',
  'synchronize/semaphore',
  'synchronize/event',
  'codec/',
  'os/',
  'process/process',
  'process/objects',
  'shared-memory/sh',
  'shared-memory/t',
];

/** The path of that version's node, fetched if need be. */
function runtime(version: string): string {
  const node = `${folder}/${version}/node_modules/node-linux-${process.arch}/bin/node`;
  if (existsSync(node)) return node;
  mkdirSync(`${folder}/${version}`, { recursive: true });
  writeFileSync(`${folder}/${version}/package.json`, '{ "private": true }');
  const specifier = `node-linux-${process.arch}@${version}`;
  console.log(`Fetching ${specifier} …`);
  const install = spawnSync('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', specifier], {
    cwd: `${folder}/${version}`,
    stdio: 'inherit',
  });
  if (install.status !== 0) throw new Error(`${specifier} could not be fetched.`);
  return node;
}

const failed: string[] = [];
for (const version of versions) {
  const node = runtime(version);
  const { stdout } = spawnSync(node, ['--version'], { encoding: 'utf8' });
  console.log(`\n===== Node ${stdout.trim()} =====`);
  const { status } = spawnSync(node, [suite, ...smoke], { stdio: 'inherit' });
  if (status !== 0) failed.push(stdout.trim());
}
if (failed.length > 0) {
  console.error(`\nFailed on ${failed.join(', ')}.`);
  process.exit(1);
}
console.log(`\nAll of Node ${versions.join(', ')} pass.`);
