import { type Command, exitCode } from './command.js';
import { type Inventory, takeInventory } from './inventory.js';
import { bytes, list, table } from './text.js';

const help = `Usage: multiprocess ls [--json]

Lists what this user shares on this machine, without taking part in it:

  Managers  servers by name (private ones by '-'), their PID, and how many processes and workers use their heap.
            'silent': somebody listens and does not answer within a second, being stopped or busy; 'dead': nobody listens.
  Heaps     where shared objects lie: a segment and its extents. Attached are processes and worker threads, by the PIDs
            that they have in their own PID namespaces; 'dead' have not been cleaned up after yet.
  Blocks    SharedMemory, ShareableLists and other files in /dev/shm. Those with a tree of processes are removed when the
            tree has ended; those without one stay until they are unlinked. Attached are the processes that have it open.

Options:
  --json      all of that as one JSON object { managers, heaps, trees, blocks }; sizes in bytes
  -h, --help  this text`;

export const ls: Command = {
  summary: 'list managers, heaps and blocks, their sizes, and who is attached',
  help,
  options: { json: { type: 'boolean' } },
  operands: [],
  async run({ json }) {
    const inventory = await takeInventory();
    console.log(json ? JSON.stringify(inventory, null, 2) : describe(inventory));
    return exitCode.done;
  },
};

function describe({ managers, heaps, trees, blocks }: Inventory): string {
  const users = new Map(heaps.map(({ id, participants }) => [id, participants.length]));
  const alive = new Map(trees.map((tree) => [tree.id, tree.alive]));
  return [
    table(
      'Managers',
      ['Name', 'State', 'Server', 'Heap', 'Clients', 'Socket'],
      managers.map(({ name = '-', state, pid, heap, socket }) => {
        const others = heap === undefined ? '' : String((users.get(heap) ?? 1) - 1);
        return [name, state, String(pid ?? ''), heap ?? '', others, socket];
      }),
    ),
    table(
      'Heaps',
      ['Heap', 'Size', 'Extents', 'Attached', 'Dead'],
      heaps.map(({ id, bytes: size, extents, participants, dead }) => {
        return [id, bytes(size), String(extents), list(participants), dead === 0 ? '' : String(dead)];
      }),
    ),
    table(
      'Blocks',
      ['Block', 'Size', 'Tree', 'Attached'],
      blocks.map(({ name, bytes: size, tree, pids }) => {
        const owner = tree === undefined ? '-' : alive.get(tree) ? tree : `${tree} (ended)`;
        return [name, bytes(size), owner, list(pids)];
      }),
    ),
  ].join('\n\n');
}
