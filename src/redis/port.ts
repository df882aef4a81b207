// What is needed of a client library. It gives connections and nothing more: that they are made anew when they are lost, and
// what is asked for again then, is decided here, because libraries that do it themselves ask twice for what was done once.

/** What a server answers. Text and bytes come as Buffers. */
export type Reply = Buffer | string | number | null | readonly Reply[];

export type Argument = string | number | Buffer;

/** A connection to a server. */
export interface Connection {
  /** @throws (rejects) ReplyError for what the server refuses; LostError when the connection ends before the answer. */
  call(args: readonly Argument[]): Promise<Reply>;
  /** From then on the connection is for messages only. */
  subscribe(channel: string, listener: (message: Buffer) => void): Promise<void>;
  unsubscribe(channel: string): Promise<void>;
  /** Resolves when it has ended, whoever has ended it. */
  readonly ended: Promise<void>;
  /** Ends it at once: what has not been answered is rejected. */
  end(): void;
  /** Whether it keeps the process from exiting. */
  ref(): void;
  unref(): void;
}

/** Makes connections to one server. */
export type Dial = () => Promise<Connection>;

/** Where a server of a cluster is. */
export interface Node {
  readonly host: string;
  readonly port: number;
}

/** What a thread needs to make connections of its own: it can be posted. */
export interface Target {
  readonly library: 'ioredis' | 'redis';
  readonly options: string | object;
  /** Of a cluster: servers of it that are known. */
  readonly seeds?: readonly Node[] | undefined;
  /** Of a cluster: where its servers are reached, by where they say that they are, if that is elsewhere: `host:port`. */
  readonly map?: Readonly<Record<string, Node>> | undefined;
}

/** The server has answered that it will not. */
export class ReplyError extends Error {
  /** The first word of the answer. */
  get word(): string {
    return /^\S*/.exec(this.message)![0];
  }
}

/** There is no connection, or none any more. */
export class LostError extends Error {}

/** How long making a connection may take, in ms. */
export const DIAL_MS = 10_000;
