#!/usr/bin/env node
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { clean } from './clean.js';
import { type Command, exitCode, UsageError } from './command.js';
import { ls } from './ls.js';
import { serve } from './serve.js';
import { worker } from './worker.js';

const commands: Record<string, Command> = { serve, worker, ls, clean };

const HELP = `Usage: multiprocess <command> [options]

Objects and memory shared between processes: what there is of them on this machine, for this user.

Commands:
${Object.entries(commands)
  .map(([name, { summary }]) => `  ${name.padEnd(8)}${summary}`)
  .join('\n')}

  multiprocess <command> --help   what a command does, and its options
  multiprocess --version          the version of the package

Exit codes: 0 done, 1 failed, 2 wrong usage.`;

async function main(args: readonly string[]): Promise<number> {
  const [first = '', ...rest] = args;
  const command = Object.hasOwn(commands, first) ? commands[first] : undefined;
  if (command === undefined) return withoutCommand(args);
  const { values, positionals } = parseArgs({
    args: rest,
    options: { ...command.options, help: { type: 'boolean', short: 'h' } },
    allowPositionals: true,
  });
  if (values['help']) {
    console.log(command.help);
    return exitCode.done;
  }
  if (positionals.length !== command.operands.length) {
    throw new UsageError(
      command.operands.length === 0
        ? `'${first}' takes no arguments; got ${positionals.join(' ')}.`
        : `'${first}' takes ${command.operands.join(' ')}; got ${positionals.length} arguments.`,
    );
  }
  return command.run(values as Record<string, string | boolean | undefined>, positionals);
}

function withoutCommand(args: readonly string[]): number {
  const { values, positionals } = parseArgs({
    args: [...args],
    options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    allowPositionals: true,
  });
  if (positionals.length > 0) throw new UsageError(`There is no command '${positionals[0]}'.`);
  if (!values.help && !values.version) throw new UsageError('Which command?');
  console.log(values.help ? HELP : version());
  return exitCode.done;
}

function version(): string {
  const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}

function isUsage(error: unknown): error is Error {
  if (error instanceof UsageError) return true;
  return error instanceof TypeError && ((error as { code?: string }).code ?? '').startsWith('ERR_PARSE_ARGS');
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  if (isUsage(error)) {
    console.error(`${error.message}\nSee 'multiprocess --help'.`);
    process.exitCode = exitCode.usage;
  } else {
    console.error(error instanceof Error ? `${error.name}: ${error.message}` : error);
    process.exitCode = exitCode.failed;
  }
}
