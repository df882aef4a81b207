import type { Redis, RedisOptions } from 'ioredis';
import { urlOfNode } from './address.js';
import { type Argument, type Connection, DIAL_MS, LostError, type Node, type Reply, ReplyError } from './port.js';

/** One connection, used once: nothing is retried, kept back or sent again. */
const plain = {
  lazyConnect: true,
  retryStrategy: () => null,
  reconnectOnError: null,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  autoResubscribe: false,
  enableAutoPipelining: false,
  maxRetriesPerRequest: null,
  connectTimeout: DIAL_MS,
  keyPrefix: '',
} satisfies RedisOptions;

/** @param options a URL, or ioredis' own options. @param node of a cluster: then the options are for each of its nodes. */
export async function dialIoredis(options: string | object, node?: Node): Promise<Connection> {
  const { Redis } = await import('ioredis');
  if (typeof options === 'string') {
    return connectTo(new Redis(node === undefined ? options : urlOfNode(options, node), plain));
  }
  return connectTo(new Redis({ ...options, ...plain, ...(node && { ...node, db: 0 }) }));
}

export async function duplicateIoredis(client: Redis): Promise<Connection> {
  return connectTo(client.duplicate(plain));
}

async function connectTo(redis: Redis): Promise<Connection> {
  let failure: unknown;
  redis.on('error', (error: unknown) => {
    failure ??= error;
  });
  const ended = new Promise<void>((resolve) => {
    redis.once('end', () => resolve());
  });
  try {
    await redis.connect();
  } catch (error) {
    redis.disconnect();
    throw isReply(failure ?? error) ? new ReplyError((failure as Error).message) : (failure ?? error);
  }
  return new IoredisConnection(redis, ended);
}

class IoredisConnection implements Connection {
  readonly ended: Promise<void>;
  readonly #redis: Redis;
  readonly #listeners = new Map<string, (message: Buffer) => void>();

  constructor(redis: Redis, ended: Promise<void>) {
    this.#redis = redis;
    this.ended = ended;
    redis.on('messageBuffer', (channel: Buffer, message: Buffer) => {
      this.#listeners.get(channel.toString())?.(message);
    });
  }

  async call([command, ...args]: readonly Argument[]): Promise<Reply> {
    try {
      return (await this.#redis.callBuffer(command as string, ...args)) as Reply;
    } catch (error) {
      throw translated(error);
    }
  }

  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    this.#listeners.set(channel, listener);
    try {
      await this.#redis.subscribe(channel);
    } catch (error) {
      throw translated(error);
    }
  }

  async unsubscribe(channel: string): Promise<void> {
    this.#listeners.delete(channel);
    try {
      await this.#redis.unsubscribe(channel);
    } catch (error) {
      throw translated(error);
    }
  }

  end(): void {
    this.#redis.disconnect();
  }

  ref(): void {
    (this.#redis.stream as { ref?(): void } | undefined)?.ref?.();
  }

  unref(): void {
    (this.#redis.stream as { unref?(): void } | undefined)?.unref?.();
  }
}

function isReply(error: unknown): boolean {
  return (error as Error | undefined)?.name === 'ReplyError';
}

function translated(error: unknown): Error {
  const { message } = error as Error;
  return isReply(error) ? new ReplyError(message) : new LostError(message, { cause: error });
}
