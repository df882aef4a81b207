import { Redis } from 'ioredis';
import type { EngineUrl } from 'multiprocess';
import { freePort, RedisServer } from './redis-server.js';
import { eventually } from './shm.js';

const SLOTS = 16_384;
const NODE_TIMEOUT_MS = '1000';

/** A cluster of one's own: so many primaries, which share the slots, and as many replicas as each is to have. */
export class RedisCluster {
  readonly primaries: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];

  private constructor(primaries: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.primaries = primaries;
    this.replicas = replicas;
  }

  static async start(count = 3, replicasOfFirst = 0): Promise<RedisCluster> {
    const servers: RedisServer[] = [];
    const ports: number[] = [];
    for (let i = 0; i < count + replicasOfFirst; i++) {
      const bus = await freePort();
      const settings = ['--cluster-enabled', 'yes', '--cluster-port', String(bus)];
      servers.push(await RedisServer.start([...settings, '--cluster-node-timeout', NODE_TIMEOUT_MS]));
      ports.push(bus);
    }
    const admins = servers.map(({ port }) => new Redis(port, '127.0.0.1'));
    try {
      const share = Math.ceil(SLOTS / count);
      for (let i = 0; i < count; i++) {
        const last = Math.min(SLOTS, (i + 1) * share) - 1;
        await admins[i]!.call('CLUSTER', 'ADDSLOTSRANGE', String(i * share), String(last));
        await admins[i]!.call('CLUSTER', 'SET-CONFIG-EPOCH', String(i + 1));
      }
      for (let i = 1; i < servers.length; i++) {
        const { port } = servers[i]!;
        await admins[0]!.call('CLUSTER', 'MEET', '127.0.0.1', String(port), String(ports[i]));
      }
      const known = async (admin: Redis) =>
        new RegExp(`cluster_known_nodes:${servers.length}\\b`).test(String(await admin.call('CLUSTER', 'INFO')));
      await eventually(
        'all know each other',
        async () => (await Promise.all(admins.map(known))).every(Boolean),
        20_000,
      );
      const first = String(await admins[0]!.call('CLUSTER', 'MYID'));
      for (const admin of admins.slice(count)) await admin.call('CLUSTER', 'REPLICATE', first);
      const isWhole = async (admin: Redis) => /cluster_state:ok/.test(String(await admin.call('CLUSTER', 'INFO')));
      await eventually('it is whole', async () => (await Promise.all(admins.map(isWhole))).every(Boolean), 20_000);
      return new RedisCluster(servers.slice(0, count), servers.slice(count));
    } finally {
      for (const admin of admins) admin.disconnect();
    }
  }

  get urls(): EngineUrl[] {
    return this.primaries.map(({ url }) => url);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.primaries, ...this.replicas].map((server) => server.stop()));
  }
}
