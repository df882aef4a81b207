import { AuthenticationError } from '../../errors/index.js';

/** What both sides of a connection know: text, or bytes. */
export type Authkey = string | Uint8Array;

/**
 * The bytes of a key.
 *
 * @throws AuthenticationError when there is none, or an empty one, with which anybody could come in; TypeError for what is
 * neither text nor bytes.
 */
export function bytesOfAuthkey(authkey: unknown): Buffer {
  if (authkey === undefined || authkey === null) {
    throw new AuthenticationError(
      'A manager is reached over the network only with a key that both sides know. Give { authkey }.',
    );
  }
  if (typeof authkey !== 'string' && !(authkey instanceof Uint8Array)) {
    throw new TypeError(`The authkey is a string or bytes; got ${typeof authkey}.`);
  }
  const bytes = Buffer.from(authkey as string);
  if (bytes.length === 0) {
    throw new AuthenticationError('The authkey is empty, so anybody could come in. Choose one that cannot be guessed.');
  }
  return bytes;
}
