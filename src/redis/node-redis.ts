import { urlOfNode } from './address.js';
import { type Argument, type Connection, DIAL_MS, LostError, type Node, type Reply, ReplyError } from './port.js';

/** What is used of node-redis' client. Its own type depends on modules, scripts and mappings, none of which matter here. */
export interface NodeRedisClient {
  readonly options?: object;
  duplicate(overrides?: object): NodeRedisClient;
  connect(): Promise<unknown>;
  withTypeMapping(mapping: object): unknown;
  sendCommand(args: readonly (string | Buffer)[], options: object): Promise<unknown>;
  subscribe(channel: string, listener: (message: Buffer) => void, bufferMode: true): Promise<unknown>;
  unsubscribe(channel: string): Promise<unknown>;
  destroy(): void;
  ref(): void;
  unref(): void;
  on(event: string, listener: (error: unknown) => void): unknown;
}

/** One connection, used once: nothing is retried or kept back. */
const plain = { disableOfflineQueue: true, maintNotifications: 'disabled', clientSideCache: undefined };
const socket = { reconnectStrategy: false, connectTimeout: DIAL_MS };

/** @param options a URL, or node-redis' own options. @param node of a cluster: then the options are for each of its nodes. */
export async function dialNodeRedis(options: string | object, node?: Node): Promise<Connection> {
  const { createClient } = await import('redis');
  const isUrl = typeof options === 'string';
  const given = isUrl ? { url: node === undefined ? options : urlOfNode(options, node) } : options;
  const place = isUrl ? undefined : node;
  const client = createClient({ ...given, ...plain, socket: { ...socketOf(given), ...place, ...socket } } as never);
  return connectTo(client as unknown as NodeRedisClient);
}

export async function duplicateNodeRedis(client: NodeRedisClient): Promise<Connection> {
  return connectTo(client.duplicate({ ...plain, socket: { ...socketOf(client.options), ...socket } }));
}

function socketOf(options: object | undefined): object | undefined {
  return (options as { socket?: object } | undefined)?.socket;
}

/** Bulk strings arrive as bytes: 36, '$', says in the protocol that one follows. */
const binary = { typeMapping: { 36: Buffer } };

async function connectTo(client: NodeRedisClient): Promise<Connection> {
  const connection = new NodeRedisConnection(client);
  try {
    await client.connect();
  } catch (error) {
    connection.end();
    throw isReply(error) ? new ReplyError((error as Error).message) : error;
  }
  return connection;
}

class NodeRedisConnection implements Connection {
  readonly ended: Promise<void>;
  readonly #client: NodeRedisClient;
  #finish!: () => void;

  constructor(client: NodeRedisClient) {
    this.#client = client;
    this.ended = new Promise((resolve) => {
      this.#finish = resolve;
    });
    client.on('error', () => this.#finish());
    client.on('end', () => this.#finish());
  }

  async call(args: readonly Argument[]): Promise<Reply> {
    try {
      return (await this.#client.sendCommand(args.map(text), binary)) as Reply;
    } catch (error) {
      throw translated(error);
    }
  }

  async subscribe(channel: string, listener: (message: Buffer) => void): Promise<void> {
    try {
      await this.#client.subscribe(channel, listener, true);
    } catch (error) {
      throw translated(error);
    }
  }

  async unsubscribe(channel: string): Promise<void> {
    try {
      await this.#client.unsubscribe(channel);
    } catch (error) {
      throw translated(error);
    }
  }

  end(): void {
    try {
      this.#client.destroy();
    } catch {
      // ended already
    }
    this.#finish();
  }

  ref(): void {
    this.#client.ref();
  }

  unref(): void {
    this.#client.unref();
  }
}

function text(argument: Argument): string | Buffer {
  return typeof argument === 'number' ? String(argument) : argument;
}

const replies = new Set(['ErrorReply', 'SimpleError', 'BlobError', 'MultiErrorReply']);

function isReply(error: unknown): boolean {
  return replies.has((error as Error | undefined)?.constructor?.name ?? '');
}

function translated(error: unknown): Error {
  const { message } = error as Error;
  return isReply(error) ? new ReplyError(message) : new LostError(message, { cause: error });
}
