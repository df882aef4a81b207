// The examples in the documentation that need a server: blocks of `js`.
import assert from 'node:assert/strict';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { projectRoot } from '../support/paths.js';
import { RedisServer } from '../support/redis-server.js';
import { runNode } from '../support/run.js';

let server: RedisServer;
before(async () => {
  server = await RedisServer.start();
});
after(() => server.stop());

for (const page of ['README.md', 'docs/beyond-one-machine.md']) {
  test(page, { timeout: 60_000 }, async () => {
    const blocks = [...readFileSync(projectRoot + page, 'utf8').matchAll(/^```js\n(.*?)^```/gms)];
    assert.ok(blocks.length > 0);
    for (const [i, [, text]] of blocks.entries()) {
      const file = `${projectRoot}build/redis-example-${process.pid}-${i}.js`;
      writeFileSync(file, text!.replace('redis://localhost:6379', server.url));
      try {
        const { code, stdout, stderr } = await runNode(file);
        assert.equal(code, 0, stderr);
        for (const [, expected] of text!.matchAll(/console\.log\(.*\); \/\/ ([\d.]+)$/gm)) {
          assert.ok(stdout.includes(`${expected}\n`), stdout);
        }
      } finally {
        rmSync(file);
      }
    }
  });
}
