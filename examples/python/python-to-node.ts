// A Python process makes a ShareableList, Node opens it by its name and changes it, Python sees the changes.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { ShareableList } from 'multiprocess';

// Seen from build/examples/python, where this file lies once compiled.
const script = fileURLToPath(new URL('../../../examples/python/make-list.py', import.meta.url));

const python = spawn('python3', [script], { stdio: ['pipe', 'pipe', 'inherit'] });
const ended = once(python, 'close').catch((cause) => {
  throw new Error('This example needs Python 3.9 or later as `python3`.', { cause });
});
const lines = createInterface({ input: python.stdout })[Symbol.asyncIterator]();

const { value: name } = await Promise.race([lines.next(), ended.then(() => ({ value: undefined }))]);
if (name === undefined) throw new Error('Python ended before it had made a list.');
try {
  using list = new ShareableList(null, { name });
  console.log('Node reads:        ', list.copy());

  list.set(0, (list.get(0) as number) + 10);
  list.set(1, 'pi'); // an item may change its type, as long as the new value fits into its place
  list.set(2, 'tres');
  list.set(3, false);
  console.log('Node wrote:        ', list.copy());
} finally {
  python.stdin.end('done\n'); // so that Python goes on, and removes its list, also when something failed here
}

console.log((await lines.next()).value);
const [exitCode] = await ended;
if (exitCode !== 0) throw new Error(`Python ended with exit code ${exitCode}.`);
