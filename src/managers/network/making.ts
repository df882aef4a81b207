import { sharedKindOf } from '../../codec/internal.js';
import { typeFromText } from '../../sharedctypes/internal.js';
import type { SyncManager } from '../sync-manager.js';
import { isOurs } from './client-objects.js';
import { close } from './common-objects.js';
import { type FactoryName, factories } from './methods.js';

/** What has been made for a remote client. */
export class Made {
  readonly object: object;
  readonly #isFresh: boolean;

  /** @param isFresh whether nobody else has this wrapper: then it need not wait for the garbage collector. */
  constructor(object: object, isFresh: boolean) {
    this.object = object;
    this.#isFresh = isFresh;
  }

  /** To be called when the client has been told of it. */
  letGo(): void {
    if (this.#isFresh) close(this.object);
  }
}

/** Whether the manager itself makes something of that name. */
export function isFactory(method: string): method is FactoryName {
  return Object.hasOwn(factories, method);
}

/**
 * Makes what a remote client wants made in a manager.
 *
 * @param args what the manager's method of that name takes; types are given as text.
 * @throws what that method throws.
 */
export function makeFor(manager: SyncManager, method: FactoryName, args: unknown[]): Made {
  const [first, ...rest] = args;
  const isTyped = (method === 'Value' || method === 'Array') && typeof first === 'string';
  const make = manager[method] as (...args: unknown[]) => object;
  const object = make.call(manager, ...(isTyped ? [typeOfText(first), ...rest] : args));
  const options = args[factories[method]] as { name?: unknown } | undefined;
  // One without a name has just been made.
  return new Made(object, options?.name === undefined && isOurs(sharedKindOf(object)?.kind));
}

/** A code stands for itself. */
function typeOfText(text: string): unknown {
  const type = typeFromText(text);
  return text.length === 1 ? text : type;
}
