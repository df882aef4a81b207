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
    [['--help'], ['--version'], ['serve', '--help'], ['ls', '-h'], ['clean', '--help'], ['worker', '-h']].map((args) =>
      cli(args),
    ),
  );
  assert.deepEqual([code, stderr], [0, '']);
  for (const command of ['serve', 'worker', 'ls', 'clean']) assert.match(stdout, new RegExp(`^  ${command} +\\w`, 'm'));
  const { version } = JSON.parse(readFileSync(`${projectRoot}package.json`, 'utf8'));
  for (const [index, start] of [
    new RegExp(`^${version}\n$`),
    /^Usage: multiprocess serve NAME/,
    /^Usage: multiprocess ls /,
    /^Usage: multiprocess clean/,
    /^Usage: multiprocess worker --url URL --module FILE/,
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
    [['worker', 'x'], /takes no arguments/],
    [['worker', '--module', 'm.js'], /--url is needed/],
    [['worker', '--url', 'tcp://x', '--module', 'm.js'], /--url takes redis/],
    [['worker', '--url', 'redis://:port', '--module', 'package.json'], /no URL/],
    [['worker', '--url', 'redis://x'], /--module is needed/],
    [['worker', '--url', 'redis://x', '--module', './no-such-module.js'], /no module '\.\/no-such-module\.js'/],
    [['worker', '--url', 'redis://x', '--module', 'package.json', '--processes', '0'], /whole number from 1; got '0'/],
    [['worker', '--url', 'redis://x', '--module', 'package.json', '--lease', '1e'], /whole number from 100/],
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
