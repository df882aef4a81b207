import { inspect } from 'node:util';

/** What becomes of a leased item, by the names of the scripts. */
export type Decision = 'ack' | 'leave';

/** An item that is leased to this client. */
export class RedisLease {
  static {
    Object.defineProperty(RedisLease, 'name', { value: 'RemoteLease' });
  }

  readonly value: unknown;
  readonly deliveries: number;
  readonly #settle: (how: Decision) => Promise<void>;
  #isDecided = false;

  constructor(value: unknown, deliveries: number, settle: (how: Decision) => Promise<void>) {
    this.value = value;
    this.deliveries = deliveries;
    this.#settle = settle;
  }

  // The first decision counts, later ones do nothing.
  async ack(): Promise<void> {
    await this.#decide('ack');
  }

  async giveBack(): Promise<void> {
    await this.#decide('leave');
  }

  [inspect.custom](_: number, options: object): string {
    return `RemoteLease { ${inspect(this.value, options)} }`;
  }

  async #decide(how: Decision): Promise<void> {
    if (this.#isDecided) return;
    this.#isDecided = true;
    await this.#settle(how);
  }
}
