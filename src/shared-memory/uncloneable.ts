type Threads = { markAsUncloneable?: (value: object) => void };

/**
 * Makes posting the object to a thread or `structuredClone` throw, where Node can (22.10 and later), instead of it
 * arriving as a dead copy.
 */
export function markUncloneable(value: object): void {
  // Loaded on first use: a process that only imports the library need not pay for it.
  (process.getBuiltinModule('node:worker_threads') as Threads).markAsUncloneable?.(value);
}

/** For `toJSON()` of objects that JSON would make meaningless. */
export function refuseJson(kind: string): never {
  throw new TypeError(`A ${kind} cannot be written as JSON. Send toMessage(value), or its handle, instead.`);
}
