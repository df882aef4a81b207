/** A piece of the text, from the byte at `start` to before the one at `end`. */
export interface Slice {
  readonly start: number;
  readonly end: number;
}

/** Whether a byte is one of A–Z and a–z. */
export function isLetter(byte: number): boolean {
  return isLowerCase(byte | 0x20); // which turns upper case into lower case, and nothing else into letters
}

/** Whether a byte is one of a–z. */
export function isLowerCase(byte: number): boolean {
  return byte >= 0x61 && byte <= 0x7a;
}

/** Cuts the text into as many slices of about the same size, none of which ends within a word. Some may be empty. */
export function splitText(text: Uint8Array, count: number): Slice[] {
  const slices: Slice[] = [];
  let start = 0;
  for (let i = 1; i <= count; i++) {
    let end = Math.max(start, Math.floor((text.length * i) / count));
    while (end > 0 && end < text.length && isLetter(text[end]!) && isLetter(text[end - 1]!)) end += 1;
    slices.push({ start, end });
    start = end;
  }
  return slices;
}
