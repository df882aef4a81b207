import { ValueError } from '../errors/index.js';
import { decode } from './decode.js';
import { encode } from './encode.js';

const PREFIX = 'mp1.';

/**
 * Any encodable value as printable text, with its shared objects by reference: for `postMessage`, `process.send`, JSON,
 * HTTP, environment variables. The text is an address, not a hold: the objects in it must live until it is read.
 *
 * What structured clone knows travels, with cycles; of arrays the items only, of views over ordinary memory their own bytes
 * only; nested at most 1000 levels deep.
 *
 * @throws NotShareableError for what cannot travel, naming the path to it; ClosedError for a shared object that has been
 * closed here.
 *
 * @example
 * ```ts
 * import { fromMessage, SharedMemory, toMessage } from 'multiprocess';
 *
 * using block = SharedMemory.create(8);
 * const text = toMessage({ id: 7n, pixels: block.buf.subarray(0, 4) });
 *
 * const { id, pixels } = fromMessage(text) as { id: bigint; pixels: Uint8Array }; // in any process
 * pixels[0] = 255;
 * console.log(id, block.buf[0]); // 7n 255
 * ```
 */
export function toMessage(value: unknown): string {
  return PREFIX + encode(value).bytes.toString('base64url');
}

/**
 * The value that `toMessage` was given; shared objects in it are the same objects.
 *
 * @throws ValueError for text that is no message; StaleHandleError when a shared object in it is gone;
 * whatever a registered `decode` throws.
 */
export function fromMessage(message: string): unknown {
  if (typeof message !== 'string') throw new TypeError(`A message is a string; got ${typeof message}.`);
  if (!message.startsWith(PREFIX)) throw new ValueError('This text was not made by toMessage().');
  return decode(Buffer.from(message.slice(PREFIX.length), 'base64url'));
}
