import { createHmac, timingSafeEqual } from 'node:crypto';

// Before anything else is said, the two sides of a connection prove to each other that they know the same key:
//
//   server → client   magic | nonce of the server
//   client → server   nonce of the client | proof of the client
//   server → client   verdict | proof of the server
//
// All messages have fixed sizes, so nothing that an unknown peer says is parsed. A proof is an HMAC-SHA256 over what the side
// is, both nonces, and what only the two ends of one TLS connection know. So a proof is good for one side of one connection:
// sent back to its maker it is that of the wrong side, and sent again later it has the wrong nonce. The client proves first:
// a server does not say anything about its key to whoever happens to connect.

export const NONCE_BYTES = 32;
const PROOF_BYTES = 32;
/** Says which protocol, and which version of it. */
const MAGIC = Buffer.from('mp-mgr\x00\x01', 'latin1');

export const CHALLENGE_BYTES = MAGIC.length + NONCE_BYTES;
export const RESPONSE_BYTES = NONCE_BYTES + PROOF_BYTES;
export const VERDICT_BYTES = 1 + PROOF_BYTES;

const ADMITTED = 1;
const REFUSED = 0;

/** What both sides know when they compute a proof. */
export interface Shared {
  readonly key: Uint8Array;
  readonly serverNonce: Uint8Array;
  readonly clientNonce: Uint8Array;
  /** Of a TLS connection, what only its two ends know; otherwise empty. */
  readonly binding: Uint8Array;
}

export function proof(side: 'client' | 'server', { key, serverNonce, clientNonce, binding }: Shared): Buffer {
  return createHmac('sha256', key)
    .update(MAGIC)
    .update(side) // both of one length, as all that follows but the last
    .update(serverNonce)
    .update(clientNonce)
    .update(binding)
    .digest();
}

export function makeChallenge(nonce: Uint8Array): Buffer {
  return Buffer.concat([MAGIC, nonce]);
}

/** @returns the server's nonce; undefined when this is no manager, or one of another version. */
export function readChallenge(message: Buffer): Buffer | undefined {
  if (message.length !== CHALLENGE_BYTES || !message.subarray(0, MAGIC.length).equals(MAGIC)) return undefined;
  return message.subarray(MAGIC.length);
}

export function makeResponse(nonce: Uint8Array, own: Uint8Array): Buffer {
  return Buffer.concat([nonce, own]);
}

export function readResponse(message: Buffer): { clientNonce: Buffer; proof: Buffer } {
  return { clientNonce: message.subarray(0, NONCE_BYTES), proof: message.subarray(NONCE_BYTES) };
}

/** @param own undefined for one who is not let in. */
export function makeVerdict(own: Uint8Array | undefined): Buffer {
  return Buffer.concat([Buffer.from([own === undefined ? REFUSED : ADMITTED]), own ?? Buffer.alloc(PROOF_BYTES)]);
}

/** @returns the proof of the server; undefined when it does not let this side in. */
export function readVerdict(message: Buffer): Buffer | undefined {
  return message[0] === ADMITTED ? message.subarray(1) : undefined;
}

export function sameProof(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && timingSafeEqual(a, b);
}
