// The command-line program's help, and what it says to wrong arguments.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { cli } from '../support/cli.js';
import { projectRoot } from '../support/paths.js';
import { ownRuntimeDirectory } from '../support/runtime-directory.js';

ownRuntimeDirectory();

test('help and version', async () => {
  const [{ stdout, stderr, code }, ...others] = await Promise.all(
    [['--help'], ['--version'], ['serve', '--help'], ['ls', '-h'], ['clean', '--help']].map((args) => cli(args)),
  );
  assert.deepEqual([code, stderr], [0, '']);
  for (const command of ['serve', 'ls', 'clean']) assert.match(stdout, new RegExp(`^  ${command} +\\w`, 'm'));
  const { version } = JSON.parse(readFileSync(`${projectRoot}package.json`, 'utf8'));
  for (const [index, start] of [
    new RegExp(`^${version}\n$`),
    /^Usage: multiprocess serve NAME/,
    /^Usage: multiprocess ls /,
    /^Usage: multiprocess clean/,
  ].entries()) {
    assert.deepEqual([others[index]!.code, others[index]!.stderr], [0, '']);
    assert.match(others[index]!.stdout, start);
  }
});

test('wrong usage', async () => {
  const attempts: [args: string[], message: RegExp][] = [
    [[], /Which command/],
    [['constructor'], /no command 'constructor'/],
    [['--nonsense'], /--nonsense/],
    [['ls', '--json=yes'], /--json/],
    [['clean', 'extra'], /takes no arguments; got extra/],
    [['serve'], /takes NAME; got 0/],
    [['serve', 'a', 'b'], /takes NAME; got 2/],
    [['serve', '../x'], /manager's name/],
    [['serve', 'a', '--tcp', '127.0.0.1:0'], /go together/],
    [['serve', 'a', '--tcp', 'nowhere', '--authkey-file', 'key'], /HOST:PORT; got 'nowhere'/],
    [['serve', 'a', '--tcp', 'host:65536', '--authkey-file', 'key'], /HOST:PORT/],
  ];
  await Promise.all(
    attempts.map(async ([args, message]) => {
      const { code, stdout, stderr } = await cli(args);
      assert.deepEqual([code, stdout], [2, ''], stderr);
      assert.match(stderr, message);
      assert.match(stderr, /--help/);
    }),
  );
});
