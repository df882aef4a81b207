// What a manager keeps refers to memory of the process tree, whose heap and tree this process leaves last.
import { Manager, RawArray } from 'multiprocess';

const manager = await Manager();
manager.dict(null, { name: 'holds memory' }).set('raw', RawArray('i', 1));
await manager.shutdown();
