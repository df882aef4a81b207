import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { check, secondsSince, serve } from '../harness/serve.js';

const partner = fork(fileURLToPath(new URL('../targets/ipc-partner.js', import.meta.url)), ['back', 'small'], {
  serialization: 'advanced',
});

await serve(
  (count) =>
    new Promise((resolve) => {
      let sent = 0;
      const start = performance.now();
      const next = ({ value }: { value?: number } = {}) => {
        if (value !== undefined) check(value === sent, 'another answer came');
        if (sent === count) {
          partner.off('message', next);
          resolve(secondsSince(start) / 2);
        } else {
          sent += 1;
          partner.send({ value: sent });
        }
      };
      partner.on('message', next);
      next();
    }),
);

partner.disconnect();
