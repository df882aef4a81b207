import { dictWork } from '../harness/dict-work.js';
import { serve } from '../harness/serve.js';

// node map.js get|set number|object
const [work, value] = process.argv.slice(2);
await serve(dictWork(new Map<number, unknown>(), work!, value!, 1000));
