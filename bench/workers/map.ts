import { dictWork } from '../harness/dict-work.js';
import { serve } from '../harness/serve.js';

// node map.js <work> number|object <entries>
const [work, value, entries] = process.argv.slice(2);
await serve(dictWork(new Map<number, unknown>(), work!, value!, Number(entries)));
