// Every TypeScript block in the documentation comments, the README and docs/ compiles against the built package and runs.
// A line `console.log(…); // text` must print that text.
import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { orphans } from '../support/orphans.js';
import { projectRoot } from '../support/paths.js';
import { run } from '../support/run.js';
import { eventually } from '../support/shm.js';

interface Example {
  readonly id: string;
  readonly place: string;
  readonly code: string;
}

function examples(): Example[] {
  const found: Example[] = [];
  const add = (file: string, text: string) => {
    for (const match of text.matchAll(/^```ts\n(.*?)^```/gms)) {
      const line = text.slice(0, match.index).split('\n').length;
      found.push({ id: `example-${found.length}`, place: `${file}:${line}`, code: match[1]! });
    }
  };
  for (const file of readdirSync(`${projectRoot}src`, { recursive: true, encoding: 'utf8' }).sort()) {
    if (file.endsWith('.ts'))
      add(`src/${file}`, readFileSync(`${projectRoot}src/${file}`, 'utf8').replace(/^ \* ?/gm, ''));
  }
  const pages = readdirSync(`${projectRoot}docs`, { recursive: true, encoding: 'utf8' }).map((file) => `docs/${file}`);
  for (const file of ['README.md', 'CONTRIBUTING.md', ...pages.sort()]) {
    if (file.endsWith('.md')) add(file, readFileSync(projectRoot + file, 'utf8'));
  }
  return found;
}

describe('examples in the documentation', () => {
  const all = examples();
  // Inside the project, so that 'multiprocess' and its types are found as by a user.
  mkdirSync(`${projectRoot}build`, { recursive: true });
  const folder = mkdtempSync(join(projectRoot, 'build', 'doc-examples-'));

  before(async () => {
    for (const { id, code } of all)
      writeFileSync(join(folder, `${id}.ts`), code.includes('export ') ? code : `${code}\nexport {};\n`);
    const options = {
      extends: '../../tsconfig.json',
      compilerOptions: { rootDir: '.', outDir: 'out', noUnusedLocals: false },
      include: ['*.ts'],
      exclude: [],
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(options));
    const { code, stdout } = await run(process.execPath, [
      `${projectRoot}node_modules/typescript/bin/tsc`,
      '-p',
      folder,
    ]);
    const places = Object.fromEntries(all.map(({ id, place }) => [id, place]));
    assert.equal(
      code,
      0,
      stdout.replaceAll(/example-\d+/g, (id) => places[id]!),
    );
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('there are some', () => assert.ok(all.length >= 8, `${all.length}`));

  for (const { id, place, code } of all) {
    test(place, { timeout: 60_000 }, async () => {
      const {
        code: exitCode,
        stdout,
        stderr,
      } = await run(process.execPath, [join(folder, 'out', `${id}.js`)], { cwd: folder });
      assert.equal(stderr, '');
      assert.equal(exitCode, 0);
      const expected = [...code.matchAll(/console\.log\(.*\);\s*\/\/ (.*)$/gm)].map((match) => match[1]!.trim());
      if (expected.length > 0) assert.deepEqual(stdout.trimEnd().split('\n'), expected);
    });
  }

  test('leave nothing behind', () => eventually('all is swept', () => orphans().length === 0));
});
