// The format of an item: 8 characters, as Python's struct module reads them.
//
// Python ignores blanks in a format, and there are six kinds of them. So a format can carry a number: every write that
// changes more than one word puts other blanks in front, and a reader that finds the same format before and after it has
// looked at the slot knows that no such write lay between. A new list has no blanks: it is byte for byte Python's own.

const BLANKS = ' \t\n\v\f\r';

export type ItemKind = 'int64' | 'double' | 'boolean' | 'null' | 'text';

/** What a format says, whatever blanks stand in front. */
export interface ItemFormat {
  readonly kind: ItemKind;
  /** Of `text` (strings and bytes): the number before the `s`. */
  readonly length: number;
  /** The number in its blanks. */
  readonly version: number;
}

/** Reads a format; `undefined` for one that no list has. */
export function parseFormat(low: number, high: number): ItemFormat | undefined {
  let text = '';
  let version = 0;
  for (let i = 0; i < 8; i++) {
    const character = String.fromCharCode(((i < 4 ? low : high) >>> ((i & 3) * 8)) & 0xff);
    const blank = BLANKS.indexOf(character);
    if (blank >= 0 && text === '') version = version * BLANKS.length + blank;
    else text += character;
  }
  text = text.replace(/\0+$/, '');
  if (text === 'q') return { kind: 'int64', length: 8, version };
  if (text === 'd') return { kind: 'double', length: 8, version };
  if (text === 'xxxxxxx?' || text === '7x?') return { kind: 'boolean', length: 8, version };
  if (text === 'xxxxxx?x' || text === '6x?x') return { kind: 'null', length: 8, version };
  const digits = /^(\d{1,7})sx?$/.exec(text)?.[1];
  return digits === undefined ? undefined : { kind: 'text', length: Number(digits), version };
}

const canonical = { int64: 'q', double: 'd', boolean: 'xxxxxxx?', null: 'xxxxxx?x' } as const;
const short = { int64: 'q', double: 'd', boolean: '7x?', null: '6x?x' } as const;

/** @param exact whether the number is a value's length rather than its slot's. */
function textFormat(length: number, exact: boolean): string {
  return exact && length < 1_000_000 ? `${length}sx` : `${length}s`;
}

/** The format as Python writes it in a new list. */
export function canonicalFormat(kind: ItemKind, length: number, exact: boolean): string {
  return kind === 'text' ? textFormat(length, exact) : canonical[kind];
}

/** The format with a number in its blanks, as far as there is room: modulo a power of six. */
export function versionedFormat(kind: ItemKind, length: number, exact: boolean, version: number): Buffer {
  const text = kind === 'text' ? textFormat(length, exact) : short[kind];
  let left = version;
  let blanks = '';
  while (blanks.length + text.length < 8) {
    blanks = BLANKS[left % BLANKS.length] + blanks;
    left = Math.floor(left / BLANKS.length);
  }
  return Buffer.from(blanks + text, 'latin1');
}
