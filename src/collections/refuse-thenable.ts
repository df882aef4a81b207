/** @throws TypeError for what a callback must not return: it would not be awaited. */
export function refuseThenable<T>(result: T, whose: string): T {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== 'function') return result;
  throw new TypeError(`The function of ${whose} returned a promise. It must be synchronous; nothing has been stored.`);
}
