import { projectRoot } from './paths.js';
import { cleanEnvironment, type Finished, type Running, runNode, startNode } from './run.js';

const MAIN = `${projectRoot}dist/cli/main.js`;

/** Runs the command-line program to its end. */
export function cli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  return runNode(MAIN, args, { env: cleanEnvironment(env) });
}

export function startCli(args: readonly string[], env: NodeJS.ProcessEnv = {}): Running {
  return startNode(MAIN, args, { env: cleanEnvironment(env) });
}
