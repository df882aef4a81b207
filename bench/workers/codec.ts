import { isDeepStrictEqual } from 'node:util';
import { deserialize, serialize } from 'node:v8';
import { Packr } from 'msgpackr';
import { decode, encodeParts } from '../../src/codec/internal.js';
import { check, secondsSince, serve } from '../harness/serve.js';

// Turns a value into bytes, copies them to where another process would find them, and makes the value of them there.
const [codec = '', what = ''] = process.argv.slice(2);

const values: Record<string, unknown> = {
  integer: 123_456,
  string: 'hello world',
  bytes: new Uint8Array(4096).fill(7),
  small: { id: 7, name: 'x', done: true },
  nested: {
    id: 12_345,
    title: 'A nested value',
    owner: { id: 77, name: 'Somebody Else', email: 'somebody@example.org', active: true },
    tags: ['red', 'green', 'blue'],
    size: { width: 640, height: 480, depth: 32.5 },
    points: [
      { x: 1.5, y: 2.5 },
      { x: 3.5, y: 4.5 },
      { x: -1, y: 0 },
    ],
    counts: [1, 2, 3, 400, 50_000],
    flags: { read: true, urgent: false, answered: null },
    note: undefined,
  },
};

interface Codec {
  encode(value: unknown): readonly Uint8Array[];
  decode(bytes: Uint8Array): unknown;
}

function msgpackr(options: object): Codec {
  const packr = new Packr({ structuredClone: true, ...options });
  return { encode: (value) => [packr.pack(value)], decode: (bytes) => packr.unpack(bytes) };
}

const codecs: Record<string, () => Codec> = {
  ours: () => ({ encode: (value) => encodeParts(value).pieces, decode }),
  msgpackr: () => msgpackr({}),
  'msgpackr-maps': () => msgpackr({ useRecords: false }),
  'msgpackr-records': () => msgpackr({ structures: [] }),
  v8: () => ({ encode: (value) => [serialize(value)], decode: deserialize }),
};

const { encode, decode: decodeAgain } = codecs[codec]!();
const value = values[what];
const memory = new Uint8Array(16 * 1024);

function trip(): unknown {
  let at = 0;
  for (const piece of encode(value)) {
    memory.set(piece, at);
    at += piece.length;
  }
  return decodeAgain(new Uint8Array(memory.buffer, 0, at));
}

await serve((count) => {
  let back: unknown;
  const start = performance.now();
  for (let i = 0; i < count; i++) back = trip();
  const seconds = secondsSince(start);
  check(isDeepStrictEqual(plain(back), plain(value)), `${what} by ${codec}`);
  return seconds;
});

/** Byte arrays come back as Buffers from some. */
function plain(given: unknown): unknown {
  return given instanceof Uint8Array ? [...given] : given;
}
