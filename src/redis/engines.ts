import type { Engine, Whereabouts } from './engine.js';

// The connections of this environment, by which handles are opened: whoever has connected to the same place has the objects
// there by that connection.

const engines = new Map<string, Set<Engine>>();

function keyOf({ url, prefix }: Whereabouts): string {
  return JSON.stringify([typeof url === 'string' ? url : [...url].sort(), prefix]);
}

/** From here on it is found, until it is closed. */
export function addEngine(engine: Engine): void {
  const { whereabouts } = engine;
  if (whereabouts === undefined) return;
  const key = keyOf(whereabouts);
  const known = engines.get(key) ?? new Set();
  engines.set(key, known.add(engine));
  void engine.closed.then(() => {
    known.delete(engine);
    if (known.size === 0 && engines.get(key) === known) engines.delete(key);
  });
}

/** The one that has been there longest. */
export function findEngine(whereabouts: Whereabouts): Engine | undefined {
  for (const engine of engines.get(keyOf(whereabouts)) ?? []) if (engine.isOpen) return engine;
  return undefined;
}
