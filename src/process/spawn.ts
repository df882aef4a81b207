import type { ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Encoded } from '../codec/internal.js';
import { ProcessStateError } from '../errors/index.js';
import type { TakenSlot } from '../heap/internal.js';
import {
  ensureMembership,
  type Hold,
  holdForChild,
  membershipForChild,
  SHM_DIRECTORY,
} from '../shared-memory/internal.js';
import { type SpawnHeader, writeSpawnRecord } from './spawn-record.js';
import { sendArguments } from './transit.js';

const CHILD_MAIN = fileURLToPath(new URL('./child-main.js', import.meta.url));

export interface SpawnOptions {
  readonly env: NodeJS.ProcessEnv | undefined;
  readonly execArgv: readonly string[] | undefined;
  readonly stdio: 'inherit' | 'pipe' | 'ignore';
  /** Descriptors that the child gets besides, and a channel to it. */
  readonly also?: readonly (number | 'ipc' | 'pipe')[] | undefined;
  /** A session and a process tree of its own: the child outlives this process and what that belongs to. */
  readonly apart?: boolean;
}

/** A child that the kernel has started, and the file in which it will leave its outcome. */
export interface Spawned {
  readonly child: ChildProcess;
  readonly record: number;
}

/**
 * Starts a child process and hands it, as open descriptors: its membership in the process tree, its record, each block in
 * its arguments, and its place in each heap in which arguments lie. From then on nothing that this process does or suffers takes them away from it.
 *
 * @throws ProcessStateError when the kernel starts no process; system errors for lack of room or descriptors.
 */
export function spawnChild(
  header: Omit<SpawnHeader, 'blocks' | 'slots' | 'modules'>,
  args: Encoded,
  options: SpawnOptions,
): Spawned {
  const { tree } = ensureMembership();
  const { stdio, also = [], apart = false } = options;
  const holds: Hold[] = [];
  let slots: TakenSlot[] = [];
  let membership: number | undefined;
  let record: number | undefined;
  try {
    for (const block of args.blocks) holds.push(holdForChild(block));
    if (!apart) membership = membershipForChild(tree);
    slots = sendArguments(args.places);
    const told = {
      ...header,
      blocks: holds.length,
      slots: slots.map(({ fd: _, ...slot }) => slot),
      modules: [...args.modules],
    };
    record = writeSpawnRecord(SHM_DIRECTORY, told, args.bytes);
    // Loaded here, because most processes that import the library start none.
    const { spawn } = process.getBuiltinModule('node:child_process');
    const child = spawn(process.execPath, [...(options.execArgv ?? inheritedExecArgv()), CHILD_MAIN], {
      stdio: [
        stdio,
        stdio,
        stdio,
        membership ?? 'ignore',
        record,
        ...[...holds, ...slots].map(({ fd }) => fd),
        ...also,
      ],
      env: { ...(options.env ?? process.env), MULTIPROCESS_TREE: apart ? undefined : tree.id },
      detached: apart,
    });
    if (child.pid === undefined) throw notStarted(child);
    return { child, record };
  } catch (error) {
    if (record !== undefined) closeSync(record);
    throw error;
  } finally {
    if (membership !== undefined) closeSync(membership);
    for (const { fd } of slots) closeSync(fd);
    for (const hold of holds) hold.release();
  }
}

/** Node tells the reason only later, by an event. */
function notStarted(child: ChildProcess): ProcessStateError {
  const error = new ProcessStateError(
    'SPAWN',
    `The kernel started no process (${process.execPath}): too many processes or too little memory.`,
  );
  child.on('error', (cause) => {
    error.cause = cause;
  });
  return error;
}

const NOT_FOR_CHILDREN =
  /^(-e|-p|-pe|-i|--eval|--print|--interactive|--input-type|--inspect.*|--watch.*|--test.*)(=|$)/;
const TAKES_NEXT_WORD = /^(-e|-p|-pe|--eval|--print|--input-type|--inspect-port|--watch-path|--test-.*)$/;

/** The loaders and flags of this process, without what is for the program given on the command line or a debugger. */
export function inheritedExecArgv(): string[] {
  const kept: string[] = [];
  for (let i = 0; i < process.execArgv.length; i++) {
    const flag = process.execArgv[i]!;
    if (!NOT_FOR_CHILDREN.test(flag)) kept.push(flag);
    else if (TAKES_NEXT_WORD.test(flag) && !process.execArgv[i + 1]?.startsWith('-')) i += 1;
  }
  return kept;
}
