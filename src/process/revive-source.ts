import { createRequire, isBuiltin } from 'node:module';
import { pathToFileURL } from 'node:url';
import { constants, Script } from 'node:vm';
import { findFunction } from '../codec/internal.js';
import { importModule } from './import-module.js';
import type { Captured, SourceFunction } from './source-function.js';

type Fn = (...args: unknown[]) => unknown;

/** A function made of its source, whose variables are still to be set. */
interface Made {
  readonly fn: Fn;
  set(variables: Record<string, unknown>): void;
}

/** Makes the first of these functions, with all that it uses. */
export async function reviveSource(functions: readonly SourceFunction[]): Promise<Fn> {
  const made = functions.map(make);
  for (const [i, { variables, url }] of functions.entries()) {
    const values: Record<string, unknown> = {};
    for (const [name, captured] of Object.entries(variables)) values[name] = await revive(captured, made, url);
    made[i]!.set(values);
  }
  return made[0]!.fn;
}

function make({ source, name, strict, url, variables }: SourceFunction): Made {
  const names = Object.keys(variables).join(', ');
  const declared = names === '' ? '' : `let ${names}; `;
  const set = names === '' ? '() => {}' : `(__variables) => { ({ ${names} } = __variables); }`;
  const text = `(function () { ${strict ? '"use strict"; ' : ''}${declared}return [${source}\n, ${set}]; })`;
  // Node warns of what lets a script import, so only those get it that do.
  const importing = /(?<![\w$.])import\s*\(/.test(source)
    ? { importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER }
    : {};
  const made = (new Script(text, { filename: url, ...importing }).runInThisContext() as () => [Fn, Made['set']])();
  Object.defineProperty(made[0], 'name', { value: name, configurable: true });
  return { fn: made[0], set: made[1] };
}

async function revive(captured: Captured, made: readonly Made[], url: string): Promise<unknown> {
  switch (captured.kind) {
    case 'value':
      return captured.value;
    case 'function':
      return made[captured.number]!.fn;
    case 'located':
      return findFunction(await importModule(captured.location.url), captured.location);
    case 'import': {
      const namespace = await importModule(resolve(captured.specifier, url));
      return captured.name === undefined ? namespace : namespace[captured.name];
    }
    case 'global':
      return captured.path.reduce<unknown>((object, key) => (object as Record<string, unknown>)[key], globalThis);
    case 'require':
      return createRequire(url);
  }
}

/** What a module at that URL means by a specifier. */
function resolve(specifier: string, url: string): string {
  if (/^[a-z][a-z\d+.-]+:/.test(specifier)) return specifier;
  if (/^\.{0,2}\//.test(specifier)) return new URL(specifier, url).href;
  if (isBuiltin(specifier)) return `node:${specifier}`;
  const base = url.startsWith('file:') ? url : pathToFileURL(`${process.cwd()}/[eval]`).href;
  return pathToFileURL(createRequire(base).resolve(specifier)).href;
}
