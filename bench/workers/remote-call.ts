import { oneByOne, pipelined } from '../harness/one-by-one.js';
import { check, secondsSince, serve } from '../harness/serve.js';
import { EchoManager } from '../targets/echoing.js';

// node remote-call.js awaited|blocking|<how many under way>
const manager = new EchoManager();
await manager.start();
const echo = await manager.Echo();
const call = async (i: number) => check((await echo.echo(i)) === i, 'another answer came');
const how = process.argv[2]!;

await serve((count) => {
  if (how === 'awaited') return oneByOne(call, count);
  if (how !== 'blocking') return pipelined(call, count, Number(how));
  const start = performance.now();
  for (let i = 0; i < count; i++) check(echo.echoSync(i) === i, 'another answer came');
  return secondsSince(start);
});
await manager.shutdown();
