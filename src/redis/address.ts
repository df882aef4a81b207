const FORM = /^(redis|rediss|valkey|valkeys):\/\//;

/** Whether an address is that of a server of Redis or Valkey. */
export function isEngineUrl(address: unknown): address is string {
  return typeof address === 'string' && FORM.test(address);
}
