import {
  AuthenticationError,
  MultiprocessError,
  NameConflictError,
  QueueClosedError,
  StaleHandleError,
  ValueError,
} from '../errors/index.js';
import { LostError, type ReplyError } from './port.js';

/** What a server's refusal is for the user. */
export function errorOfReply(error: ReplyError): Error {
  const { message, word } = error;
  switch (word) {
    case 'MPSTALE':
      return new StaleHandleError('The object has been disposed of, or the server has lost its data.');
    case 'MPKIND':
      return new NameConflictError('The name is that of another kind of object on this server. Choose another name.');
    case 'MPNUMBER':
      return new TypeError('increment adds to numbers; the value here is none.');
    case 'MPENDED':
      return new QueueClosedError('This queue takes no more items: end() was called on it.');
    case 'MPOVER':
      return new QueueClosedError('This queue has been ended, and nothing is left in it: end() was called on it.');
    case 'MPDONE':
      return new ValueError('taskDone() has been called more often than items were taken from the queue.');
    case 'WRONGTYPE':
      return new NameConflictError(
        'Under the key of this object the server has something that another program has put there. Choose another name, or prefix.',
        { cause: error },
      );
    case 'NOAUTH':
    case 'WRONGPASS':
    case 'NOPERM':
      return new AuthenticationError(`The server does not let this client do it: ${message}`, { cause: error });
    case 'OOM':
      return Object.assign(
        new Error('ENOSPC: the server has no memory left (maxmemory), and its policy is to refuse writes', {
          cause: error,
        }),
        { code: 'ENOSPC', syscall: 'write' },
      );
    case 'READONLY':
      return new MultiprocessError('The server is a read-only replica. Give the address of its primary.', {
        code: 'ERR_MULTIPROCESS_READ_ONLY',
        cause: error,
      });
    default:
      return new MultiprocessError(`The server has refused it: ${message}`, {
        code: 'ERR_MULTIPROCESS_ENGINE',
        cause: error,
      });
  }
}

/** Why a server cannot be reached: a system error where there was one. */
export function errorOfReaching(error: unknown, address: string): Error {
  const found = error instanceof LostError ? (error.cause ?? error) : error;
  const { code, message } = found as NodeJS.ErrnoException;
  return Object.assign(
    new Error(`${code ?? 'Unreachable'}: ${address} cannot be reached: ${message}`, { cause: found }),
    {
      code: code ?? 'ERR_MULTIPROCESS_UNREACHABLE',
      syscall: 'connect',
    },
  );
}
