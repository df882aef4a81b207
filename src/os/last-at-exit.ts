const listeners: (() => void)[] = [];
const afterThose: (() => void)[] = [];

// What wants to be last, of all copies of the library in this thread (a program may have two versions): each would else put
// itself behind the other, for ever. Among themselves their order does not matter.
const OURS = Symbol.for('multiprocess.lastAtExit');
const shared = globalThis as unknown as Record<symbol, Set<unknown> | undefined>;
shared[OURS] ??= new Set();
const ours = shared[OURS];

/**
 * Calls `listener` when this environment exits, after the listeners of everybody else: a program's own exit handlers may
 * still use what the library lets go of then.
 *
 * @param afterOurs whether it takes away what the other ones that are registered here still need.
 */
export function lastAtExit(listener: () => void, afterOurs = false): void {
  const first = listeners.length + afterThose.length === 0;
  (afterOurs ? afterThose : listeners).push(listener);
  if (!first) return;
  ours.add(runAll);
  process.on('exit', runAll);
  process.on('newListener', (event, added) => {
    if (event !== 'exit' || ours.has(added)) return;
    // The new one is in the list only once this event is over.
    queueMicrotask(() => {
      if (!process.listeners('exit').includes(runAll)) return;
      process.off('exit', runAll);
      process.on('exit', runAll);
    });
  });
}

function runAll(): void {
  for (const listener of [...listeners, ...afterThose]) listener();
}
