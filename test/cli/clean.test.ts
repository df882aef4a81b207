// What the command-line program removes.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Manager, SharedMemory } from 'multiprocess';
import { cli } from '../support/cli.js';
import { findOwnShm, hasOwnShm } from '../support/own-shm.js';
import { program } from '../support/paths.js';
import { startNode } from '../support/run.js';
import { ownRuntimeDirectory } from '../support/runtime-directory.js';
import { eventually, isAlive, shmEntries } from '../support/shm.js';

const directory = ownRuntimeDirectory();
beforeEach(() => rmSync(directory, { recursive: true, force: true }));

/** Everything that can be left: blocks, a private manager's heap and socket, a named one's. Its processes have been killed. */
async function leaveOrphans(): Promise<{ blocks: string[]; heap: string; sockets: string[] }> {
  const maker = startNode(program('make-and'), ['wait']);
  const [, ...blocks] = await maker.line(/^made (\S+) (\S+)$/);
  const creator = startNode(program('start-a-manager'), ['wait']);
  const [, server, address, heap] = await creator.line(/^pid (\d+) address (\S+) handle mp:\w+:\w*:(\w+):/);
  const client = startNode(program('named-manager'), ['orphan', '0', 'forever']);
  const named = (await client.line(/^server (\d+)$/))[1];
  // The creator removes the socket of a server whose end it sees.
  process.kill(creator.pid, 'SIGSTOP');
  for (const pid of [server, named]) process.kill(Number(pid), 'SIGKILL');
  for (const running of [creator, client, maker]) await running.kill();
  await eventually('all are dead', () => ![server, named].some((pid) => isAlive(Number(pid))));
  return { blocks, heap: heap!, sockets: [address!, join(directory, 'orphan.named')] };
}

// Other programs that use the library sweep, too. Where it can have a /dev/shm of its own, nobody else is there to be faster;
// elsewhere it takes as many attempts as it takes.
const inOwn = hasOwnShm ? undefined : await findOwnShm();
const ATTEMPTS = hasOwnShm ? 1 : 10;

if (inOwn !== undefined) {
  test('in a /dev/shm of its own', { timeout: 60_000 }, async () => {
    const { code, stdout, stderr } = await inOwn(fileURLToPath(import.meta.url));
    assert.equal(code, 0, `${stdout}\n${stderr}`);
    assert.match(stdout, /^# pass 1$/m);
  });
} else test('removes what the killed have left, says what it was, and touches nothing else', cleans);

async function cleans(): Promise<void> {
  using block = SharedMemory.create(100);
  using kept = SharedMemory.create(100, { persist: true });
  await using manager = await Manager({ name: 'alive', linger: 0 });
  const list = manager.list([1]);
  for (let attempt = 1; ; attempt++) {
    const { blocks, heap, sockets } = await leaveOrphans();
    const { code, stdout, stderr } = await cli(['clean']);
    assert.deepEqual([code, stderr], [0, '']);
    for (const path of sockets) assert.equal(existsSync(path), false, path);
    assert.deepEqual(
      [...shmEntries()].filter((entry) => entry.includes(heap) || blocks.includes(entry)),
      [],
    );
    for (const path of sockets) assert.match(stdout, new RegExp(`^removed socket ${path}$`, 'm'));
    const told = [`heap ${heap}`, ...blocks.map((name) => `block ${name}`)].every((what) =>
      new RegExp(`^removed ${what} \\(\\d[\\d.]* [KMG]?i?B\\)$`, 'm').test(stdout),
    );
    assert.match(stdout, /^\d+ removed, \d[\d.]* [KMG]?i?B freed\.$/m);
    if (told) break;
    assert.ok(attempt < ATTEMPTS, stdout);
  }
  assert.ok(shmEntries().has(block.name) && shmEntries().has(kept.name));
  manager.Lock();
  list.append(2);
  assert.deepEqual(readdirSync(directory).sort(), ['alive.lock', 'alive.named']);
  kept.unlink();
}
