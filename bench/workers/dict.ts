import { SharedDict } from 'multiprocess';
import { dictWork } from '../harness/dict-work.js';
import { serve } from '../harness/serve.js';

// node dict.js <work> number|object <entries>
const [work, value, entries] = process.argv.slice(2);
await serve(dictWork(SharedDict<number, unknown>(), work!, value!, Number(entries)));
