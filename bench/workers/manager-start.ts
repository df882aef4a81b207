import { Manager } from 'multiprocess';
import { oneByOne } from '../harness/one-by-one.js';
import { serve } from '../harness/serve.js';

const startAndEnd = async () => {
  const manager = await Manager();
  await manager.shutdown();
};

await serve((count) => oneByOne(startAndEnd, count));
