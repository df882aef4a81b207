import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { AuthenticationError, MultiprocessError } from '../../errors/index.js';
import { FixedMessages } from './fixed-messages.js';
import {
  CHALLENGE_BYTES,
  makeChallenge,
  makeResponse,
  makeVerdict,
  NONCE_BYTES,
  proof,
  RESPONSE_BYTES,
  readChallenge,
  readResponse,
  readVerdict,
  type Shared,
  sameProof,
  VERDICT_BYTES,
} from './handshake.js';

// The handshake over a socket. Whoever calls ends the socket when it takes too long, and when it fails.

const BINDING_BYTES = 32;
const BINDING_LABEL = 'EXPORTER-multiprocess-manager';

/**
 * For a server: lets a client in that knows the key.
 *
 * @returns whether it does. @throws (rejects) ManagerClosedError when it has gone; a system error.
 */
export async function admit(socket: Socket, key: Uint8Array): Promise<boolean> {
  const messages = new FixedMessages(socket);
  try {
    const serverNonce = randomBytes(NONCE_BYTES);
    socket.write(makeChallenge(serverNonce));
    const response = readResponse(await messages.read(RESPONSE_BYTES));
    const shared: Shared = { key, serverNonce, clientNonce: response.clientNonce, binding: bindingOf(socket) };
    // Nothing is to be said before the verdict; whoever does is no client of ours.
    const knows = sameProof(response.proof, proof('client', shared)) && !messages.hasMore;
    if (knows) socket.write(makeVerdict(proof('server', shared)));
    else socket.end(makeVerdict(undefined));
    return knows;
  } finally {
    messages.end();
  }
}

/**
 * For a client: proves to the server that this side knows the key, and has the server prove it.
 *
 * @throws (rejects) AuthenticationError when the keys differ; MultiprocessError when it is no manager; ManagerClosedError; a
 * system error.
 */
export async function introduce(socket: Socket, key: Uint8Array): Promise<void> {
  const messages = new FixedMessages(socket);
  try {
    const serverNonce = readChallenge(await messages.read(CHALLENGE_BYTES));
    if (serverNonce === undefined) {
      throw new MultiprocessError(
        'What answers there is no manager, or one of another version, or it expects { tls }.',
      );
    }
    const clientNonce = randomBytes(NONCE_BYTES);
    const shared: Shared = { key, serverNonce, clientNonce, binding: bindingOf(socket) };
    socket.write(makeResponse(clientNonce, proof('client', shared)));
    const found = readVerdict(await messages.read(VERDICT_BYTES));
    if (found === undefined) {
      throw new AuthenticationError('The manager has not let this process in: its authkey is another one.');
    }
    if (!sameProof(found, proof('server', shared))) {
      throw new AuthenticationError(
        'What answers there does not know the authkey: it is not the manager that was meant.',
      );
    }
  } finally {
    messages.end();
  }
}

/** Whoever sits between the two ends of a TLS connection has two connections, and so cannot pass proofs on. */
function bindingOf(socket: Socket): Uint8Array {
  if (!(socket instanceof TLSSocket)) return new Uint8Array(0);
  return socket.exportKeyingMaterial(BINDING_BYTES, BINDING_LABEL, Buffer.alloc(0));
}
