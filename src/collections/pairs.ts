/** Pairs of keys and values, as whoever makes or updates a dict gives them. */
export type Pairs = readonly (readonly [unknown, unknown])[];

/**
 * @param init entries, or an object whose own properties are meant.
 * @throws TypeError for anything else.
 */
export function pairsOf(init: unknown): Pairs {
  if (init === undefined || init === null) return [];
  if (typeof init !== 'object') throw notPairs(typeof init);
  const iterator = (init as Partial<Iterable<unknown>>)[Symbol.iterator];
  if (typeof iterator !== 'function') return Object.entries(init);
  return Array.from(init as Iterable<unknown>, (pair) => {
    if (!Array.isArray(pair) || pair.length < 2) throw notPairs('something else among them');
    return [pair[0], pair[1]] as const;
  });
}

function notPairs(what: string): TypeError {
  return new TypeError(`A dict is made of entries ([[key, value], …], a Map) or of a plain object; got ${what}.`);
}
