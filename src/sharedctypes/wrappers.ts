// One wrapper for each shared object in an environment. It is entered when its handle is asked for first: before, nobody can
// open it, and most objects are never asked.

const known = new Map<string, WeakRef<object>>();

const dropped = new FinalizationRegistry<string>((handle) => {
  if (known.get(handle)?.deref() === undefined) known.delete(handle);
});

/** Enters a wrapper under its handle, unless there is another. @returns the handle. */
export function enter(handle: string, wrapper: object): string {
  if (known.get(handle)?.deref() === undefined) {
    known.set(handle, new WeakRef(wrapper));
    dropped.register(wrapper, handle);
  }
  return handle;
}

/** The wrapper that this environment has under that handle, or a new one. */
export function wrapperOf<T extends object>(handle: string, make: () => T): T {
  const found = known.get(handle)?.deref();
  if (found !== undefined) return found as T;
  const wrapper = make();
  enter(handle, wrapper);
  return wrapper;
}
