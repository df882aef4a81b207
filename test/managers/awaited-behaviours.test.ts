// The behaviours of managers on other machines, in memory: the same objects, each call awaited.
import { after, before } from 'node:test';
import { type EngineManager, Manager, type SyncManager } from 'multiprocess';
import { awaited } from '../support/awaited-manager.js';
import { behaviours } from '../support/remote-behaviours.js';
import { testName } from '../support/shm.js';

const managers: SyncManager[] = [];
let connections: [EngineManager, EngineManager];

before(async () => {
  const name = testName('awaited').replaceAll(' ', '-');
  managers.push(await Manager({ name }), await Manager({ name }));
  connections = [awaited(managers[0]!), awaited(managers[1]!)];
});
after(async () => {
  managers[1]!.close();
  await managers[0]!.shutdown();
});

const owners = 'in memory each thread is an owner, and both connections are of one';
behaviours({
  name: 'in memory',
  connections: () => connections,
  differs: {
    'locks: each connection is an owner of its own': owners,
    'bounded semaphores: permits have owners': owners,
    'values: with a lock, of one type': owners,
    'conditions: waitFor, with the lock held': 'the predicate of waitFor is synchronous in memory',
    'conditions: who gives up has the lock again, and swallows nothing': 'a condition has no getLock() in memory',
    'conditions: with a lock that was given, entered more than once': 'a condition has no getLock() in memory',
    'objects in objects come back as themselves': 'one process has one object, whatever connection it came by',
    'queues: objects in them, and what is disposed of': 'one process has one object, whatever connection it came by',
    'queues: what others have leased may come back, after the end too': owners,
    'joinable queues': owners,
    'what cannot travel': 'shared memory and locks without a manager travel in memory',
    'how they look': 'objects in memory show what they hold',
  },
});
