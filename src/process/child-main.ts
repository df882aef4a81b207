// The first module of every child process: imports the target's module, runs the target, leaves its outcome.
// The identity comes first.

import { writeSync } from 'node:fs';
import { inspect } from 'node:util';
import { decode, encode, findFunction } from '../codec/internal.js';
import { giveSlots } from '../heap/internal.js';
import { signalOnParentDeath } from '../os/index.js';
import { withInheritedBlocks } from '../shared-memory/internal.js';
import { giveBell } from './bell.js';
import { args, header, self } from './child-identity.js';
import { importModule } from './import-module.js';
import { RECORD_DESCRIPTOR, writeOutcome } from './spawn-record.js';
import { argumentsArrived, sendResult } from './transit.js';

const SIGKILL = 9;

const FIRST_BLOCK = RECORD_DESCRIPTOR + 1;
giveSlots(header.slots.map((slot, i) => ({ ...slot, fd: FIRST_BLOCK + header.blocks + i })));
giveBell(FIRST_BLOCK + header.blocks + header.slots.length);

let returned = false;

// An error that no one catches ends the process; its parent hears of it all the same, unless the target has returned
// already. Should someone catch it after all, the target's own outcome is written over this one.
process.on('uncaughtExceptionMonitor', (error) => {
  if (!returned) leaveError(error);
});

if (self.daemon) {
  // A daemon ends with its parent, however that ends and whatever the daemon is doing: the kernel sees to it.
  signalOnParentDeath(SIGKILL);
  if (process.ppid !== header.parent.pid) process.kill(process.pid, 'SIGKILL'); // the parent was gone before
}

void run();

async function run(): Promise<void> {
  try {
    const found =
      header.target === null ? undefined : findFunction(await importModule(header.target.url), header.target);
    // Objects of a heap may be among the arguments, whatever the target's module imports; most children are spared these.
    if (header.slots.length > 0) {
      await Promise.all([
        import('../sharedctypes/index.js'),
        import('../synchronize/index.js'),
        import('../queues/index.js'),
        import('../collections/index.js'),
      ]);
    }
    await Promise.all(header.modules.map((url) => import(url)));
    // Decoded after the import: the module may register types.
    const values = withInheritedBlocks(inheritedBlocks(), () => decode(args)) as unknown[];
    argumentsArrived();
    const target = found ?? (await (await import('./travelling-function.js')).reviveFunction(values.shift() as never));
    const result = await target(...values);
    const { bytes, places } = encode(result, 'result');
    sendResult(places, header.receipt);
    writeOutcome(RECORD_DESCRIPTOR, { kind: 'value', bytes });
    returned = true;
  } catch (error) {
    report(error);
    leaveError(error);
    // As an uncaught exception would: what the target left running does not keep a failed process alive.
    process.exit(1);
  }
}

/** Blocks in the arguments can be attached by these, even if their names are gone by now. */
function inheritedBlocks(): number[] {
  return Array.from({ length: header.blocks }, (_, i) => FIRST_BLOCK + i);
}

function leaveError(error: unknown): void {
  try {
    writeOutcome(RECORD_DESCRIPTOR, { kind: 'error', bytes: encodeError(error) });
  } catch {
    // There is no room left even for this; the parent learns the exit code, and standard error has the rest.
  }
}

function encodeError(error: unknown): Buffer {
  try {
    const { bytes, places } = encode(error, 'error');
    sendResult(places, header.receipt);
    return bytes;
  } catch {
    return encode(new Error(`The target threw ${inspect(error)}, which cannot travel.`)).bytes;
  }
}

function report(error: unknown): void {
  const text = error instanceof Error ? inspect(error) : `Uncaught ${inspect(error)}`;
  try {
    writeSync(2, `Process '${self.name}' (${self.pid}) failed:\n${text}\n`);
  } catch {
    // Nobody reads standard error; the parent has the error by result().
  }
}
