import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { check, secondsSince, serve } from '../harness/serve.js';

// `child_process` IPC with structured clone. It has no bound, so as many messages are on their way as Node takes.
const large = process.argv[2] === 'large';
const bytes = new Uint8Array(1024 * 1024).fill(7);
const partner = fork(
  fileURLToPath(new URL('../targets/ipc-partner.js', import.meta.url)),
  ['count', process.argv[2]!],
  {
    serialization: 'advanced',
  },
);

await serve(async (count) => {
  const done = once(partner, 'message') as Promise<[{ last: number }]>;
  partner.send({ count });
  const start = performance.now();
  for (let i = 0; i < count; i++) {
    const sent = new Promise((resolve) => {
      if (partner.send({ value: large ? bytes : i }, resolve as never)) resolve(undefined);
    });
    // Says false when too much is on its way.
    if (i % 64 === 63) await sent;
  }
  const [{ last }] = await done;
  const seconds = secondsSince(start);
  check(last === (large ? bytes.length : count - 1), 'another message was the last');
  return seconds;
});

partner.disconnect();
