/** An item as it travels: of a structure, which is a view of memory, an object of its fields. */
export function plainItem(item: unknown): unknown {
  if (typeof item !== 'object' || item === null || ArrayBuffer.isView(item)) return item;
  return Object.fromEntries(Object.entries(item).map(([name, field]) => [name, plainItem(field)]));
}
