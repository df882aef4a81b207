import { builtinModules } from 'node:module';
import type { Captured } from './source-function.js';

// Objects and functions that each process has, found by what they are: the platform's, and those of Node's modules.

type Loaded = typeof process & { readonly moduleLoadList?: readonly string[] };

/** What else is global the program may have made so itself, and others have not. */
const PLATFORM_OBJECTS = new Set([
  'Math',
  'JSON',
  'Reflect',
  'Atomics',
  'Intl',
  'WebAssembly',
  'console',
  'performance',
]);

let known: Map<unknown, Captured> | undefined;
let loaded = -1;

/** How another process comes by the same thing, if it is one that each process has. */
export function knownEverywhere(value: unknown): Captured | undefined {
  if (!isReference(value)) return undefined;
  known ??= gatherGlobals();
  // Modules that have not been loaded here have given nobody anything, and loading all takes long.
  const { moduleLoadList = [] } = process as Loaded;
  if (moduleLoadList.length !== loaded) {
    loaded = moduleLoadList.length;
    gatherModules(known, moduleLoadList);
  }
  return known.get(value);
}

function gatherGlobals(): Map<unknown, Captured> {
  const found = new Map<unknown, Captured>();
  for (const name of Object.getOwnPropertyNames(globalThis)) {
    const value = dataOf(globalThis, name);
    if (!isReference(value) || (typeof value === 'function' ? !isNative(value) : !PLATFORM_OBJECTS.has(name))) continue;
    if (!found.has(value)) found.set(value, { kind: 'global', path: [name] });
    for (const key of Object.getOwnPropertyNames(value)) {
      const inner = dataOf(value, key);
      if (typeof inner === 'function' && !found.has(inner)) found.set(inner, { kind: 'global', path: [name, key] });
    }
  }
  return found
    .set(process, { kind: 'global', path: ['process'] })
    .set(globalThis, { kind: 'global', path: ['globalThis'] });
}

function gatherModules(found: Map<unknown, Captured>, list: readonly string[]): void {
  const names = new Set(list.map((entry) => entry.replace(/^NativeModule /, '')));
  for (const module of builtinModules) {
    if (!names.has(module) || module.startsWith('_') || module === 'process') continue;
    const specifier = `node:${module}`;
    const exported = process.getBuiltinModule(specifier) as unknown;
    if (!isReference(exported)) continue;
    if (!found.has(exported)) found.set(exported, { kind: 'import', specifier, name: 'default' });
    for (const name of Object.keys(exported)) {
      const inner = dataOf(exported, name);
      if (isReference(inner) && !found.has(inner)) found.set(inner, { kind: 'import', specifier, name });
    }
  }
}

function isReference(value: unknown): value is object {
  return (typeof value === 'object' && value !== null) || typeof value === 'function';
}

function isNative(value: unknown): boolean {
  return Function.prototype.toString.call(value).endsWith('{ [native code] }');
}

/** Without calling a getter: some warn, or load what nobody needs. */
function dataOf(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value;
}
