// The behaviours that all remote managers share, over TCP. Of Redis: test/redis/behaviours.test.ts.
import { after, before } from 'node:test';
import { connect, Manager, type RemoteManager, type SyncManager } from 'multiprocess';
import { behaviours } from '../support/remote-behaviours.js';

let manager: SyncManager;
let connections: [RemoteManager, RemoteManager];

before(async () => {
  manager = await Manager();
  const address = await manager.serve('tcp://127.0.0.1:0', { authkey: 'a key' });
  connections = [await connect(address, { authkey: 'a key' }), await connect(address, { authkey: 'a key' })];
});
after(() => manager.shutdown());

behaviours({ name: 'TCP', connections: () => connections });
