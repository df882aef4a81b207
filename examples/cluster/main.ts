// Workers of node:cluster (or of PM2: any processes of one user) that share a dict. They have nothing from each other but
// the name of a manager: whoever comes first starts its server, the others meet it.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { Manager } from 'multiprocess';

const WORKERS = 4;
const REQUESTS = 1000;
const name = process.env['MANAGER'] ?? `cluster-example-${process.pid}`;

if (cluster.isPrimary) {
  const workers = Array.from({ length: WORKERS }, () => cluster.fork({ MANAGER: name }));
  await Promise.all(workers.map((worker) => once(worker, 'exit')));

  // Its server goes on for a while when its last client has gone (`linger`), so nothing is lost in between.
  const manager = await Manager({ name });
  const visits = manager.dict<string, number>(null, { name: 'visits' });
  console.log(`Visits: ${JSON.stringify(Object.fromEntries([...visits].sort()))}`);
  await manager.shutdown();
} else {
  const manager = await Manager({ name });
  const visits = manager.dict<string, number>(null, { name: 'visits' });
  for (let i = 0; i < REQUESTS; i++) {
    visits.increment(i % 4 === 0 ? '/about' : '/'); // one step, about a microsecond
  }
  await manager.close();
  cluster.worker!.disconnect();
}
