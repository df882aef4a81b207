import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { types } from 'node:util';
import { encode, type FunctionFacts, inspectFunction, locateFunction } from '../codec/internal.js';
import { NotShareableError } from '../errors/index.js';
import { asExpression, freeVariables } from './free-variables.js';
import { knownEverywhere } from './known-everywhere.js';
import type { Captured, SourceFunction } from './source-function.js';
import { exportsByText, importsByText, type StaticImport, textOfModule } from './static-text.js';

type Fn = (...args: never[]) => unknown;

const require = createRequire(import.meta.url);

/** Whether other processes find a function by its module: it exports the function, as far as can be known here. */
export function isExported(fn: Fn, { url, scopes }: FunctionFacts): boolean {
  if (!/^(file|node|data|https?):/.test(url)) return false;
  if (!scopes.some(({ kind }) => kind.startsWith('Module'))) return isExportedByCommonJs(fn);
  if (scopes.some(({ kind }) => kind.startsWith('Closure'))) return false;
  const text = textOfModule(url);
  // A file that is not there is a program given on the command line; of what is elsewhere nothing can be known.
  return text === undefined ? !url.startsWith('file:') : exportsByText(text, fn.name);
}

function isExportedByCommonJs(fn: Fn): boolean {
  try {
    return locateFunction(fn).exportName !== undefined;
  } catch {
    return false;
  }
}

/**
 * Functions that travel as their source: the one that is asked for first, and after it those that it uses.
 *
 * @throws NotShareableError for what cannot travel so, naming the variable.
 */
export function captureFunction(fn: Fn, facts: FunctionFacts): SourceFunction[] {
  return new Capture().run(fn, facts);
}

class Capture {
  readonly #functions: SourceFunction[] = [];
  readonly #numbers = new Map<Fn, number>();
  readonly #imports = new Map<string, Map<string, StaticImport>>();

  run(fn: Fn, facts: FunctionFacts): SourceFunction[] {
    this.#add(fn, facts);
    return this.#functions;
  }

  #add(fn: Fn, { url, scopes }: FunctionFacts): number {
    const number = this.#functions.length;
    this.#numbers.set(fn, number);
    const text = Function.prototype.toString.call(fn);
    const isModule = scopes.some(({ kind }) => kind.startsWith('Module'));
    if (usesOuterThis(text) && scopes.some(({ kind }) => kind.startsWith('Closure'))) {
      throw refused(fn, 'it uses `this` of the function around it, which cannot travel');
    }
    const around = new Map<string, unknown>();
    for (const { variables } of [...scopes].reverse()) for (const [name, value] of variables) around.set(name, value);
    const variables: Record<string, Captured> = {};
    const base = url === '' || !/^(file|data|https?):/.test(url) ? pathToFileURL(`${process.cwd()}/[eval]`).href : url;
    const { source, names } = this.#read(fn, text, [...around.keys()], isModule);
    this.#functions.push({ name: fn.name, source, strict: isModule, url: base, variables });
    for (const name of names) {
      const value = around.get(name);
      const captured = this.#capture(name, value, { url, isModule });
      if (typeof captured === 'string') throw refused(fn, `it uses the variable '${name}', which ${captured}`);
      variables[name] = captured;
    }
    return number;
  }

  /** Its source as an expression, and those of the names that it uses. */
  #read(fn: Fn, text: string, around: readonly string[], strict: boolean): { source: string; names: string[] } {
    try {
      const source = asExpression(text);
      return { source, names: freeVariables(source, around, strict) };
    } catch (error) {
      throw refused(fn, `its source cannot stand by itself (${(error as Error).message})`);
    }
  }

  /** @returns why it cannot travel, if it cannot. */
  #capture(name: string, value: unknown, { url, isModule }: { url: string; isModule: boolean }): Captured | string {
    const imported = isModule ? this.#importsOf(url).get(name) : undefined;
    if (imported !== undefined) return { kind: 'import', ...imported };
    const known = knownEverywhere(value);
    if (known !== undefined) return known;
    if (typeof value === 'function') return this.#captureFunction(name, value as Fn, isModule);
    const module = moduleOf(value);
    if (module !== undefined) return module;
    try {
      encode(value, name);
    } catch (error) {
      return `cannot travel: ${(error as Error).message}`;
    }
    return { kind: 'value', value };
  }

  #captureFunction(name: string, fn: Fn, isModule: boolean): Captured | string {
    if (!isModule && name === 'require' && 'cache' in fn) return { kind: 'require' };
    const number = this.#numbers.get(fn);
    if (number !== undefined) return { kind: 'function', number };
    if (Function.prototype.toString.call(fn).endsWith('{ [native code] }')) return 'is a native or bound function';
    const facts = inspectFunction(fn, { variables: true });
    if (isExported(fn, facts)) return { kind: 'located', location: locateFunction(fn) };
    const module = moduleOf(fn);
    if (module !== undefined) return module;
    if (/^class\b/.test(Function.prototype.toString.call(fn))) {
      return `is a class (${fn.name}); export it from its module, so that other processes find it there`;
    }
    return { kind: 'function', number: this.#add(fn, facts) };
  }

  #importsOf(url: string): Map<string, StaticImport> {
    let imports = this.#imports.get(url);
    if (imports === undefined) {
      imports = importsByText(textOfModule(url) ?? '');
      this.#imports.set(url, imports);
    }
    return imports;
  }
}

/** What a CommonJS module has got by `require()`. */
function moduleOf(value: unknown): Captured | undefined {
  if (value === null || (typeof value !== 'object' && typeof value !== 'function') || types.isProxy(value))
    return undefined;
  for (const [file, module] of Object.entries(require.cache)) {
    if (module?.exports === value && Object.keys(value as object).length + Number(typeof value === 'function') > 0) {
      return { kind: 'import', specifier: pathToFileURL(file).href, name: 'default' };
    }
  }
  return undefined;
}

/** Whether an arrow function mentions `this`: as its own function it would have another one. */
function usesOuterThis(text: string): boolean {
  if (/^(async\s+)?function\b/.test(text) || !/^(async\s*)?(\([\s\S]*?\)|[\w$]+)\s*=>/.test(text)) return false;
  return /(?<![\w$.])this(?![\w$])/.test(
    text.replace(/\/\/.*|\/\*[\s\S]*?\*\/|'(\\.|[^'\\\n])*'|"(\\.|[^"\\\n])*"/g, ''),
  );
}

function refused(fn: Fn, why: string): NotShareableError {
  return new NotShareableError(
    `The function ${fn.name || '(anonymous)'} is not exported by its module, and cannot travel as its source: ${why}. ` +
      'Export it, or pass what it needs in its arguments.',
  );
}
