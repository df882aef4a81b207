import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { NotShareableError } from '../errors/index.js';
import { inspectFunction, type Scope } from './inspect-function.js';

/** How another process finds a function. */
export interface FunctionLocation {
  /** URL of the module. */
  readonly url: string;
  /** Name of the export, where the caller named it. */
  readonly exportName?: string;
  /** Otherwise what the export's text and name must be. */
  readonly source?: string;
  readonly name?: string;
}

type Fn = (...args: never[]) => unknown;

const require = createRequire(import.meta.url);
const known = new WeakMap<Fn, FunctionLocation>();

/**
 * Finds the module in which a function is defined, so that another process can import it.
 *
 * @throws NotShareableError for functions that no module exports, as far as that can be known here.
 */
export function locateFunction(fn: Fn): FunctionLocation {
  const cached = known.get(fn);
  if (cached !== undefined) return cached;
  const source = Function.prototype.toString.call(fn);
  if (source.endsWith('{ [native code] }')) {
    throw new NotShareableError(
      `The function ${fn.name || '(anonymous)'} is native or bound, so no module exports it. ` +
        'Pass an exported function and its arguments, or { module, export }.',
    );
  }
  const { url, scopes } = inspectFunction(fn);
  if (!/^(file|node|data|https?):/.test(url)) {
    throw new NotShareableError(
      `The function ${fn.name || '(anonymous)'} was not defined in a module (but in '${url || 'eval'}'). ` +
        'Move it to a file of its own and export it there.',
    );
  }
  const exportName = exportedAs(fn, url);
  if (exportName === undefined) refuseClosure(fn, url, scopes);
  const location = exportName === undefined ? { url, source, name: fn.name } : { url, exportName };
  known.set(fn, location);
  return location;
}

/**
 * The child chooses among the exports by their text, and a function made by another one has the same text as its
 * siblings, but other variables.
 */
function refuseClosure(fn: Fn, url: string, scopes: readonly Scope[]): void {
  // The variables of a CommonJS module are a closure themselves.
  const ofModule = scopes.some(({ kind }) => kind.startsWith('Module')) ? 0 : 1;
  // And so is a class for its methods, which use its name or its private members.
  const ofClass = scopes[0]?.kind === 'Block' && /^class\b/.test(Function.prototype.toString.call(fn)) ? 1 : 0;
  if (scopes.filter(({ kind }) => !/^(Module|Script)/.test(kind)).length <= ofModule + ofClass) return;
  throw new NotShareableError(
    `The function ${fn.name || '(anonymous)'} of ${url} uses variables of the function in which it was made, which another ` +
      'process has not. Export a function of the module itself, and pass what it needs in args; or, if it is exported, ' +
      'name it: { module, export }.',
  );
}

/**
 * The name under which a CommonJS module exports the very function; of ES modules only the child learns what they export.
 *
 * @throws NotShareableError when the module has been loaded and does not export it.
 */
function exportedAs(fn: Fn, url: string): string | undefined {
  if (!url.startsWith('file:')) return undefined;
  const module = require.cache[fileURLToPath(url)];
  if (module === undefined) return undefined;
  const exported: unknown = module.exports;
  if (exported === fn) return 'default';
  const named = exported !== null && ['object', 'function'].includes(typeof exported) ? Object.entries(exported!) : [];
  const name = named.find(([, value]) => value === fn)?.[0];
  if (name === undefined && module.loaded && named.length > 0) throw notExported(fn.name, url);
  return name;
}

export function notExported(name: string, url: string): NotShareableError {
  const shown = name || '(anonymous)';
  return new NotShareableError(
    `The function ${shown} is not exported by ${url}, so another process cannot find it. ` +
      `Export it there (\`export function ${name || 'name'}\` or \`module.exports = { ${name || 'name'} }\`).`,
  );
}
