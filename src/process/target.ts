import { createRequire, isBuiltin } from 'node:module';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { ModuleTarget } from './process-options.js';
import { type TravellingFunction, travelling } from './travelling-function.js';

/**
 * How a child comes by its target.
 *
 * @throws NotShareableError for functions that cannot travel, as far as that can be known here; Node's `MODULE_NOT_FOUND` for a
 * package that is not installed.
 */
export function locateTarget(
  target: ((...args: never[]) => unknown) | ModuleTarget,
  allowSource: boolean,
): TravellingFunction {
  if (typeof target === 'function') return travelling(target, allowSource);
  return { location: { url: moduleUrl(target.module), exportName: target.export ?? 'default' } };
}

function moduleUrl(module: string | URL): string {
  if (module instanceof URL) return module.href;
  if (/^(\.{0,2}\/|\.{1,2}$)/.test(module)) return pathToFileURL(resolve(module)).href;
  if (/^(file|node|data|https?):/.test(module)) return module;
  if (isBuiltin(module)) return `node:${module}`;
  return pathToFileURL(createRequire(`${process.cwd()}/`).resolve(module)).href;
}
