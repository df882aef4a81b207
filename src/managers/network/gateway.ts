import type { TlsOptions } from 'node:tls';
import { open } from '../../codec/index.js';
import type { Heap } from '../../heap/internal.js';
import type { Instances } from '../instances.js';
import type { SyncManager } from '../sync-manager.js';
import { formatAddress, parseAddress } from './address.js';
import { CommonObjects } from './common-objects.js';
import { Listener } from './listener.js';
import { Session, type SessionHost } from './session.js';
import { type RemoteGreeting, WIRE } from './wire.js';

/** What a manager's server is to the network: doors, and those who have come in. */
export class Gateway implements SessionHost {
  readonly instances: Instances;
  readonly common: CommonObjects;
  readonly #handle: string;
  readonly #changed: () => void;
  readonly #listeners = new Set<Listener>();
  readonly #sessions = new Set<Session>();
  #manager: SyncManager | undefined;
  #lastToken = 0n;

  /**
   * @param heap the manager's.
   * @param handle of the manager.
   * @param changed called when somebody has come or gone.
   * @throws TooManyParticipantsError
   */
  constructor(heap: Heap, instances: Instances, handle: string, changed: () => void) {
    this.common = new CommonObjects(heap);
    this.instances = instances;
    this.#handle = handle;
    this.#changed = changed;
  }

  /** How many remote clients there are. */
  get count(): number {
    return this.#sessions.size;
  }

  get manager(): SyncManager {
    this.#manager ??= open(this.#handle) as SyncManager;
    return this.#manager;
  }

  /**
   * Opens a door.
   *
   * @returns the address, with the real port. @throws (rejects) ValueError; what `Listener.open` throws.
   */
  async serve(address: string, authkey: Uint8Array, tls: TlsOptions | undefined): Promise<string> {
    const wanted = parseAddress(address);
    const listener = await Listener.open(wanted, authkey, tls, (socket) => {
      const greeting: RemoteGreeting = { wire: WIRE, types: this.instances.typeids };
      this.#sessions.add(new Session(socket, this, greeting));
      this.#changed();
    });
    this.#listeners.add(listener);
    return formatAddress({ host: wanted.host, port: listener.port });
  }

  /** Larger than all before, those of an earlier server of this machine among them: it begins with the time. */
  nextToken(): bigint {
    const time = BigInt(Date.now()) << 20n;
    this.#lastToken = this.#lastToken < time ? time : this.#lastToken + 1n;
    return this.#lastToken;
  }

  closed(session: Session): void {
    this.#sessions.delete(session);
    this.instances.sweep();
    this.#changed();
  }

  /** Closes all doors, and ends those who are in when what they have been answered has gone out. */
  async end(): Promise<void> {
    for (const listener of this.#listeners) listener.close();
    await Promise.all([...this.#sessions].map((session) => session.end()));
  }

  /** For those who have not gone by themselves. */
  destroy(): void {
    for (const session of [...this.#sessions]) session.destroy();
    this.common.end();
  }
}
