/** What is done with the objects of a manager, and of those who are compared with one. */
export const managedWork = [
  'dict get',
  'dict set',
  'list append',
  'list get',
  'namespace get',
  'namespace set',
  'lock pair',
] as const;
export type ManagedWork = (typeof managedWork)[number];

export const ENTRIES = 1000;
/** Lists that are appended to are made short again, when they have so many items. */
export const MOST_ITEMS = 50_000;
export const smallObject = (i: number) => ({ id: i, name: 'a name' });
