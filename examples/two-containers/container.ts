// What runs in each container: node container.js <name of the manager> <die|work>
import { Manager } from 'multiprocess';

const [name = '', role = ''] = process.argv.slice(2);
const manager = await Manager({ name });
const lock = manager.Lock({ name: 'lock' });
const counts = manager.dict<string, number>(null, { name: 'counts' });

await lock.acquire();
counts.increment(role);
if (role === 'die') {
  console.log(`I am process ${process.pid}, and hold the lock`);
  setInterval(() => {}, 1000); // until it is killed
} else {
  console.log(`I am process ${process.pid}, and have the lock; its last holder died: ${lock.ownerDied}`);
  lock.release();
  await manager.close();
}
