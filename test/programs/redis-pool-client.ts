// Wants more of a pool at a server of Redis than is done before it is killed.
//   node redis-pool-client.js URL LEASE POOL
import { connect, type EngineUrl } from 'multiprocess';
import { longTask } from './redis-pool-tasks.js';

const [url, lease, name] = process.argv.slice(2);
const manager = await connect(url as EngineUrl, { lease: Number(lease) });
const pool = await manager.Pool({ name: name! });
const noted = await manager.dict<string, number>(null, { name: 'noted by the killed' });
const tasks = Array.from({ length: 5 }, () => [noted, 60_000] as const);
void pool.starmap(longTask, tasks, { chunksize: 1 });
console.log('asked');
