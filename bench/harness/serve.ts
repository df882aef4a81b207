import { createInterface } from 'node:readline';

/**
 * The line protocol for our side: answers each `run <count>` with the seconds that `operation` says it took, until the
 * input ends.
 *
 * Like its peers, a worker lives for all rounds (unless its row says otherwise): what is compared is a warm program with another, and what
 * our side puts off (memory is unmapped when the garbage collector comes by) falls due within the rounds. It serves one
 * row only, so no other row's types have taught the compiler anything.
 */
export async function serve(operation: (count: number) => number | Promise<number>): Promise<void> {
  process.stdout.write('ready\n');
  for await (const line of createInterface({ input: process.stdin })) {
    const [command, count] = line.split(' ');
    if (command !== 'run') throw new Error(`'${line}' is not in the protocol.`);
    process.stdout.write(`${await operation(Number(count))}\n`);
  }
}

/** Seconds since `start`, a value of `performance.now()`. */
export function secondsSince(start: number): number {
  return (performance.now() - start) / 1000;
}

/** For results that must not be wrong, however fast they come. */
export function check(right: boolean, what: string): void {
  if (!right) throw new Error(`Wrong result: ${what}.`);
}
