import { decode, type EncodedParts, encodeParts } from '../codec/internal.js';
import { MultiprocessError, RemoteError } from '../errors/index.js';
import { type Frame, textOf } from './frames.js';

/** Changes whenever a client of one version could misunderstand a server of another. */
export const PROTOCOL = 2;

/** What clients say. Each is followed by what it needs, as one encoded array. */
export const ask = {
  /** [linger in milliseconds]: the first message of each client. */
  hello: 1,
  /** [type id, location of the class, exposed names or undefined] */
  register: 2,
  /** [type id, arguments] → the object made */
  create: 3,
  /** [address of the object in the manager's heap, its serial, method, arguments] → what it returns */
  call: 4,
  /** [number of the stream] → [whether it is at its end, the next value] */
  next: 5,
  /** [number of the stream]: nobody wants more of it */
  leave: 6,
  /** Has opened the shared objects in the answer of this number. Gets no answer. */
  taken: 7,
  shutdown: 8,
  /** [bytes] → a block of shared memory that the server keeps */
  block: 9,
  /** [items] → a list that the server keeps */
  list: 10,
  /** [address, authkey, options of TLS or undefined] → the address at which it is served to the network now */
  serve: 11,
  /** [what a PoolRequest says] → a pool in the server */
  pool: 12,
} as const;

/** What servers answer. */
export const answer = {
  /** The first message: a Greeting in JSON. */
  greeting: 1,
  value: 2,
  /** A value with shared objects in it, held until the client says `taken`. */
  held: 3,
  /** [number of a stream] */
  stream: 4,
  /** What user code has thrown: [name, message, stack, the error itself if it can travel] */
  thrown: 5,
  /** The request could not be carried out: the error. */
  refused: 6,
} as const;

export interface Greeting {
  readonly protocol: number;
  readonly pid: number;
  /** Where the manager's root is: `formatPlace`. */
  readonly place: string;
  /** Types that the server knows. */
  readonly types: readonly string[];
}

/** @throws MultiprocessError for a server of another version, and for what is none. */
export function readGreeting(frame: Frame): Greeting {
  let greeting: Greeting;
  try {
    greeting = JSON.parse(textOf(frame)) as Greeting;
  } catch (cause) {
    throw new MultiprocessError('What was met here is no manager of this library.', { cause });
  }
  if (greeting.protocol !== PROTOCOL) {
    throw new MultiprocessError(
      'The manager that was met here runs another version of this library. Shut it down first.',
    );
  }
  return greeting;
}

/** What user code has thrown, for the other side. Never throws. */
export function encodeThrown(error: unknown): EncodedParts {
  const isError = error instanceof Error;
  const facts = isError
    ? [String(error.name), String(error.message), String(error.stack ?? '')]
    : ['', `Something that is no Error was thrown: ${safeText(error)}`, ''];
  try {
    return encodeParts([...facts, error]);
  } catch {
    return encodeParts([...facts, undefined]);
  }
}

function safeText(value: unknown): string {
  try {
    return String(value).slice(0, 1000);
  } catch {
    return 'an object';
  }
}

export function decodeThrown(payload: Uint8Array): RemoteError {
  const [remoteName, message, remoteStack, cause] = decode(payload) as [string, string, string, unknown];
  return new RemoteError(message, { remoteName, remoteStack, cause });
}

/** Why a request could not be carried out. Never throws. */
export function encodeRefusal(error: unknown): EncodedParts {
  try {
    return encodeParts(error);
  } catch {
    return encodeParts(new MultiprocessError('The manager could not carry out a request.'));
  }
}
