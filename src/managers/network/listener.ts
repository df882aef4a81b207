import { createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TlsOptions } from 'node:tls';
import type { NetworkAddress } from './address.js';
import { admit } from './introduction.js';
import { watchConnection } from './watched-connection.js';

/** How long an unknown peer has, from when it connects until it has proved itself. */
export const HANDSHAKE_MS = 5000;
/**
 * How many peers may be about to prove themselves. One more, and the one that has been at it for longest has to go: so those
 * who connect and say nothing keep nobody out who is quick.
 */
export const MOST_UNKNOWN = 1024;

/** A door of a manager to the network. */
export class Listener {
  readonly #server: Server;
  readonly #unknown = new Map<string, { socket: Socket; timer: NodeJS.Timeout }>();
  readonly #key: Uint8Array;
  readonly #admitted: (socket: Socket) => void;

  private constructor(key: Uint8Array, tls: TlsOptions | undefined, admitted: (socket: Socket) => void) {
    this.#key = key;
    this.#admitted = admitted;
    const talk = (socket: Socket) => void this.#talk(socket);
    const secure = tls && createTlsServer(tls, talk);
    secure?.on('tlsClientError', (_, socket) => socket.destroy());
    this.#server = createServer({ noDelay: true }, (socket) => {
      this.#enter(socket);
      if (secure === undefined) talk(socket);
      else secure.emit('connection', socket);
    });
  }

  /**
   * Opens it.
   *
   * @param admitted is given those who have proved that they know the key.
   * @throws (rejects) system errors: `EADDRINUSE`, `EACCES`, `ENOTFOUND`; what node:tls throws for wrong options.
   */
  static async open(
    address: NetworkAddress,
    key: Uint8Array,
    tls: TlsOptions | undefined,
    admitted: (socket: Socket) => void,
  ): Promise<Listener> {
    const listener = new Listener(key, tls, admitted);
    await new Promise<void>((resolve, reject) => {
      listener.#server.once('error', reject);
      // Afterwards, that a connection could not be accepted (no descriptors are left) is no reason to end.
      listener.#server.on('error', () => {});
      listener.#server.listen({ host: address.host, port: address.port }, resolve);
    });
    return listener;
  }

  /** The port that it really has. */
  get port(): number {
    return (this.#server.address() as { port: number }).port;
  }

  close(): void {
    this.#server.close();
    for (const { socket } of this.#unknown.values()) socket.destroy();
  }

  #enter(socket: Socket): void {
    socket.on('error', () => {}); // followed by 'close'
    const peer = peerOf(socket);
    const timer = setTimeout(() => socket.destroy(), HANDSHAKE_MS);
    this.#unknown.set(peer, { socket, timer });
    socket.once('close', () => this.#known(peer));
    if (this.#unknown.size > MOST_UNKNOWN) {
      const [oldest, { socket: gone }] = this.#unknown.entries().next().value!;
      this.#known(oldest);
      gone.destroy();
    }
  }

  #known(peer: string): void {
    clearTimeout(this.#unknown.get(peer)?.timer);
    this.#unknown.delete(peer);
  }

  async #talk(socket: Socket): Promise<void> {
    socket.on('error', () => {});
    const peer = peerOf(socket);
    try {
      if (!(await admit(socket, this.#key))) return; // ends when it has been told, or when its time is over
    } catch {
      socket.destroy();
      return;
    }
    this.#known(peer);
    watchConnection(socket);
    this.#admitted(socket);
  }
}

function peerOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
