/**
 * Calls `listener` when this environment exits, after the listeners of everybody else: a program's own exit handlers may
 * still use what the library lets go of then.
 */
export function lastAtExit(listener: () => void): void {
  ours.add(listener);
  process.on('exit', listener);
  process.on('newListener', (event, added) => {
    if (event !== 'exit' || ours.has(added)) return;
    // The new one is in the list only once this event is over.
    queueMicrotask(() => {
      if (!process.listeners('exit').includes(listener)) return;
      process.off('exit', listener);
      process.on('exit', listener);
    });
  });
}

// Those that want to be last; among themselves their order does not matter. Known to all copies of the library in this thread
// (a program may have two versions): each would else put itself behind the other, for ever.
const OURS = Symbol.for('multiprocess.lastAtExit');
const shared = globalThis as unknown as Record<symbol, Set<unknown> | undefined>;
shared[OURS] ??= new Set();
const ours = shared[OURS];
