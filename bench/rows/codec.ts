import type { Row, Scale } from '../harness/row.js';
import { node, peer } from './programs.js';

const values = [
  ['integer', 'an integer'],
  ['string', 'a string of 11 characters'],
  ['bytes', 'a byte array of 4 KiB'],
  ['small', 'an object of 3 values'],
  ['nested', 'objects and arrays of 30 values'],
] as const;

/** Values to bytes, copied to where they are found, and back; all of it in one process. */
export function codecRows({ seconds }: Scale): Row[] {
  return values.map(([name, title]) => ({
    title: `Codec: ${title} encoded, copied, decoded`,
    ratio: 'speed',
    seconds,
    ours: node('codec', 'ours', name),
    peers: [
      peer('msgpackr, structuredClone', node('codec', 'msgpackr', name)),
      peer('msgpackr, structuredClone, no records', node('codec', 'msgpackr-maps', name)),
      peer('msgpackr, structuredClone, records that both sides know', node('codec', 'msgpackr-records', name)),
      peer('v8.serialize, v8.deserialize', node('codec', 'v8', name)),
    ],
  }));
}
