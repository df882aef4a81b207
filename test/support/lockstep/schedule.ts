// A schedule: whose turn it is, for how many steps, and who dies at which of its steps. Written as `A12 B A3 kill A20`: A does
// twelve steps, then B goes on until it waits or is done, then A does three; at its twentieth step A dies. After the last turn
// everybody goes on for as long as they can.

export interface Turn {
  readonly thread: number;
  /** Undefined: until it waits for somebody, or is done. */
  readonly steps: number | undefined;
}

export interface Kill {
  readonly thread: number;
  /** The step that is not done any more, counted from 1. */
  readonly step: number;
}

export interface Schedule {
  readonly turns: readonly Turn[];
  readonly kills: readonly Kill[];
}

const letter = (thread: number) => String.fromCharCode(65 + thread);
const numberOf = (text: string) => text.charCodeAt(0) - 65;

export function formatSchedule({ turns, kills }: Schedule): string {
  const words = turns.map(({ thread, steps }) => `${letter(thread)}${steps ?? ''}`);
  for (const { thread, step } of kills) words.push(`kill ${letter(thread)}${step}`);
  return words.join(' ');
}

export function parseSchedule(text: string): Schedule {
  const turns: Turn[] = [];
  const kills: Kill[] = [];
  for (const [, kill, thread, steps] of text.matchAll(/(kill )?([A-C])(\d*)/g)) {
    const count = steps === '' ? undefined : Number(steps);
    if (kill === undefined) turns.push({ thread: numberOf(thread!), steps: count });
    else kills.push({ thread: numberOf(thread!), step: count ?? 1 });
  }
  return { turns, kills };
}
