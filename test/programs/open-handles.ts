// node open-handles.js: a program of the same tree that is no Process. Opens the handle in its environment, and then what
// it is sent, as a handle and as a message; says whether all three are one object, and uses it.
import { fromMessage, open } from 'multiprocess';
import { touch } from './synchronize-targets.js';

const first = open(process.env['SHARED_HANDLE'] ?? '') as Parameters<typeof touch>[0];
process.on('message', ({ handle, message }: { handle: string; message: string }) => {
  const { shared } = fromMessage(message) as { shared: unknown };
  const same = open(handle) === first && shared === first;
  touch(first);
  process.send!(same);
});
