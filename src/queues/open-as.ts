import { ValueError } from '../errors/index.js';
import { openPlace, type Place, rootKind } from '../heap/internal.js';

/** Opens what a handle's fields mean. All that is in this room has roots of one kind, so the handle may lie about its class. */
export function openAs<T extends object>(fields: string, type: new (place: Place) => T): T {
  const opened = openPlace<object>(fields, rootKind.queue, (place) => new type(place));
  if (opened instanceof type) return opened;
  throw new ValueError('This handle means an object of another kind.');
}
