import { Running, run } from './run.js';

/** What is on the other side of a network cable: processes with a network of their own. */
export class OtherMachine {
  readonly #name = `mpt${process.pid}`;
  readonly #subnet = `10.${200 + (process.pid % 50)}.${(process.pid >> 6) & 0xff}`;
  /** The address of this machine, for the other one. */
  readonly here = `${this.#subnet}.1`;
  readonly there = `${this.#subnet}.2`;

  /** @returns undefined where that takes more rights than this process has. */
  static async plugIn(): Promise<OtherMachine | undefined> {
    const other = new OtherMachine();
    const name = other.#name;
    const [mine, theirs] = [`${name}a`, `${name}b`];
    const steps = [
      `netns add ${name}`,
      `link add ${mine} type veth peer name ${theirs} netns ${name}`,
      `addr add ${other.here}/24 dev ${mine}`,
      `link set ${mine} up`,
      `-n ${name} addr add ${other.there}/24 dev ${theirs}`,
      `-n ${name} link set ${theirs} up`,
    ];
    for (const step of steps) {
      if (await ip(step)) continue;
      await other.remove();
      return undefined;
    }
    return other;
  }

  start(file: string, args: readonly string[]): Running {
    return new Running('ip', ['netns', 'exec', this.#name, process.execPath, file, ...args], { timeoutMs: 120_000 });
  }

  /** Pulls the cable: from here on neither side hears of the other, and nobody says goodbye. */
  async pull(): Promise<void> {
    await ip(`-n ${this.#name} link set ${this.#name}b down`);
  }

  async remove(): Promise<void> {
    await ip(`netns del ${this.#name}`);
    await ip(`link del ${this.#name}a`);
  }
}

async function ip(command: string): Promise<boolean> {
  return (await run('ip', command.split(' '))).code === 0;
}
