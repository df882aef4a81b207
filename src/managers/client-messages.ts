import { decode, type EncodedParts, encode, encodeParts, type Translation } from '../codec/internal.js';
import { MultiprocessError } from '../errors/index.js';
import { type Frame, frameOf } from './frames.js';
import { answer, decodeThrown } from './protocol.js';

/** An answer that says that more can be asked for, piece by piece. */
export class StreamMark {
  readonly number: number;

  constructor(number: number) {
    this.number = number;
  }
}

/** @throws NotShareableError for arguments that cannot travel, named `args[0]…`; ClosedError; RangeError when too large. */
export function encodeRequest(id: number, kind: number, operands: readonly unknown[]): Buffer {
  let parts: EncodedParts;
  try {
    parts = encodeParts(operands);
  } catch (error) {
    encode(operands.at(-1), 'args'); // says where it is as its caller sees it
    throw error;
  }
  return frameOf(id, kind, parts);
}

/** What an answer says; `objects` is how the shared objects in it are known. @throws RemoteError for what was thrown there, and why a request was refused. */
export function answerOf({ kind, payload }: Frame, objects?: Translation): unknown {
  switch (kind) {
    case answer.value:
    case answer.held:
      return decode(payload, objects);
    case answer.stream:
      return new StreamMark((decode(payload) as [number])[0]);
    case answer.thrown:
      throw decodeThrown(payload);
    case answer.refused:
      throw decode(payload);
    default:
      throw new MultiprocessError(`A manager gave an answer of kind ${kind}: it is of another version.`);
  }
}
