import { createRequire } from 'node:module';
import { constants, Script } from 'node:vm';
import { findFunction } from '../codec/internal.js';
import { importModule } from './import-module.js';
import type { Captured, SourceFunction } from './source-function.js';

type Fn = (...args: unknown[]) => unknown;

/** A function made of its source, whose variables are still to be set. */
interface Made {
  readonly fn: Fn;
  set(variables: Record<string, unknown>): void;
  load(specifier: string): Promise<Record<string, unknown>>;
}

/** Makes the first of these functions, with all that it uses. */
export async function reviveSource(functions: readonly SourceFunction[]): Promise<Fn> {
  const made = functions.map(make);
  for (const [i, { variables, url }] of functions.entries()) {
    const values: Record<string, unknown> = {};
    for (const [name, captured] of Object.entries(variables))
      values[name] = await revive(captured, made[i]!, made, url);
    made[i]!.set(values);
  }
  return made[0]!.fn;
}

function make({ source, name, strict, url, variables }: SourceFunction): Made {
  const names = Object.keys(variables).join(', ');
  const text = `(function () { ${strict ? '"use strict"; ' : ''}${names === '' ? '' : `let ${names}; `}return [${source}
, (__variables) => { ${names === '' ? '' : `({ ${names} } = __variables);`} }, (__specifier) => import(__specifier)]; })`;
  const script = new Script(text, {
    filename: url,
    importModuleDynamically: constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  const [fn, set, load] = (script.runInThisContext() as () => [Fn, Made['set'], Made['load']])();
  Object.defineProperty(fn, 'name', { value: name, configurable: true });
  return { fn, set, load };
}

async function revive(captured: Captured, self: Made, made: readonly Made[], url: string): Promise<unknown> {
  switch (captured.kind) {
    case 'value':
      return captured.value;
    case 'function':
      return made[captured.number]!.fn;
    case 'located':
      return findFunction(await importModule(captured.location.url), captured.location);
    case 'import': {
      const namespace = await self.load(captured.specifier);
      return captured.name === undefined ? namespace : namespace[captured.name];
    }
    case 'global':
      return captured.path.reduce<unknown>((object, key) => (object as Record<string, unknown>)[key], globalThis);
    case 'require':
      return createRequire(url);
  }
}
