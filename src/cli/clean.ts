import { sweepHeaps } from '../heap/internal.js';
import { sweepNamed, sweepSockets } from '../managers/internal.js';
import { sweep } from '../shared-memory/internal.js';
import { type Command, exitCode } from './command.js';
import { takeInventory } from './inventory.js';
import { bytes } from './text.js';

const help = `Usage: multiprocess clean

Removes what processes have left behind that were killed, and says what it was: heaps in which nobody takes part any more,
blocks of shared memory whose process tree has ended, sockets whose server has. What anybody uses stays, and so do blocks
that belong to no tree: those made with { persist: true }, and those of other programs.

Every program that uses this library does the same when it starts; this is for when none does.

Options:
  -h, --help  this text`;

export const clean: Command = {
  summary: 'remove what killed processes have left behind',
  help,
  options: {},
  operands: [],
  async run() {
    const { heaps, blocks } = await takeInventory();
    const heapBytes = new Map(heaps.map((heap) => [heap.id, heap.bytes]));
    const blockBytes = new Map(blocks.map((block) => [block.name, block.bytes]));
    let count = 0;
    let total = 0;
    const removed = (what: string, name: string, size?: number) => {
      count += 1;
      total += size ?? 0;
      console.log(`removed ${what} ${name}${size === undefined ? '' : ` (${bytes(size)})`}`);
    };
    for (const socket of sweepNamed()) removed('socket', socket);
    for (const id of sweepHeaps()) removed('heap', id, heapBytes.get(id));
    for (const names of sweep().values()) for (const name of names) removed('block', name, blockBytes.get(name));
    // Those of private managers go by whether their heap is there.
    for (const socket of sweepSockets()) removed('socket', socket);
    console.log(count === 0 ? 'Nothing to clean.' : `${count} removed, ${bytes(total)} freed.`);
    return exitCode.done;
  },
};
