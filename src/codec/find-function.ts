import { NotShareableError } from '../errors/index.js';
import { type FunctionLocation, notExported } from './function-location.js';

type Fn = (...args: unknown[]) => unknown;
type Namespace = Record<string, unknown>;

/**
 * The function that a location means, among what its module exports.
 *
 * @throws NotShareableError when the module does not export it, or exports several that look the same.
 */
export function findFunction(namespace: Namespace, { url, exportName, source, name = '' }: FunctionLocation): Fn {
  if (exportName !== undefined) {
    const found = exportsOf(namespace).find(([key]) => key === exportName)?.[1];
    if (typeof found === 'function') return found as Fn;
    throw new NotShareableError(`${url} exports no function called '${exportName}'.`);
  }
  // Names alone do not prove which function was meant, and text alone may stand twice.
  const candidates = exportsOf(namespace).filter(([, value]) => isFunction(value) && textOf(value) === source);
  const chosen = candidates.filter(([key]) => key === name);
  const functions = new Set((chosen.length > 0 ? chosen : candidates).map(([, value]) => value as Fn));
  const [found] = functions;
  if (found === undefined) throw notExported(name, url);
  if (functions.size > 1) {
    throw new NotShareableError(
      `${url} exports several functions with the same text as ${name || 'the target'}. ` +
        'Say which one: { module, export }.',
    );
  }
  return found;
}

/** Of a CommonJS module, what `module.exports` has too: Node does not see all of it by name. */
function exportsOf(namespace: Namespace): [string, unknown][] {
  const inner = namespace['default'];
  const nested = inner !== null && (typeof inner === 'object' || typeof inner === 'function') ? inner : {};
  return [...Object.entries(namespace), ...Object.entries(nested)];
}

function isFunction(value: unknown): value is Fn {
  return typeof value === 'function';
}

function textOf(fn: Fn): string {
  return Function.prototype.toString.call(fn);
}
