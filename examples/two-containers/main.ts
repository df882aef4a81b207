// Two processes that are each number 1 of a PID namespace of their own, as in two containers, and share memory, a lock and a
// manager. One of them is killed while it holds the lock; the other goes on.
//
// Containers do the same when they share /dev/shm (docker run --ipc=shareable, --ipc=container:…) and the directory of
// the manager's socket (-v /run/user/1000/multiprocess:/run/user/1000/multiprocess).
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Manager } from 'multiprocess';

// As root, or as root of a user namespace where the system allows those. Whoever ends `unshare` ends what runs inside.
const ways = [
  ['-p', '-f', '--kill-child'],
  ['-U', '-r', '-p', '-f', '--kill-child'],
];
const way = ways.find((flags) => spawnSync('unshare', [...flags, 'true']).status === 0);
if (way === undefined) {
  console.log('PID namespaces cannot be made here: that takes root, or user namespaces.');
  process.exit(0);
}

const name = `two-containers-${process.pid}`;
const manager = await Manager({ name, linger: 0 });
const lock = manager.Lock({ name: 'lock' });
const counts = manager.dict<string, number>(null, { name: 'counts' });

const container = (role: string) =>
  spawn('unshare', [...way, process.execPath, fileURLToPath(new URL('container.js', import.meta.url)), name, role], {
    // `unshare` complains when what runs inside is killed.
    stdio: ['ignore', 'pipe', role === 'die' ? 'ignore' : 'inherit'],
  });

const first = container('die');
const [line] = (await once(createInterface({ input: first.stdout }), 'line')) as [string];
console.log(`first:  ${line}`);
console.log(`        the lock is ${lock.locked() ? 'held' : 'free'}`);
const second = container('work');
const said: string[] = [];
createInterface({ input: second.stdout }).on('line', (text) => said.push(text));
// The process inside, by the number that it has out here.
const inside = readFileSync(`/proc/${first.pid}/task/${first.pid}/children`, 'latin1').split(' ')[0];
process.kill(Number(inside), 'SIGKILL');
await Promise.all([once(first, 'close'), once(second, 'close')]);
for (const text of said) console.log(`second: ${text}`);
console.log(`counts: ${JSON.stringify(counts)}`);
await manager.shutdown();
