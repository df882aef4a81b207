/**
 * What takes back what a call has done that its caller has given up, because the answer had not come in time: the method, and
 * what it is called with. Undefined where there is nothing to take back, or nothing that could be.
 *
 * @param waits whether it was a call that waits: `get` of a queue is, `get` of a dict is not.
 */
export function takingBack(
  method: string,
  waits: boolean,
  answer: unknown,
): [method: string, args: unknown[]] | undefined {
  switch (method) {
    case 'acquire':
    case 'tryAcquire':
      return answer ? ['release', []] : undefined;
    case 'getLease':
    case 'tryGetLease':
      return answer ? ['giveBack', [(answer as readonly unknown[])[2]]] : undefined;
    case 'get':
      return waits ? ['putBack', [answer]] : undefined;
    case 'tryGet':
      return answer ? ['putBack', [(answer as { value: unknown }).value]] : undefined;
    default:
      return undefined;
  }
}
