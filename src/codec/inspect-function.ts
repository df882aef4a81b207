import { createRequire } from 'node:module';
import { NotShareableError } from '../errors/index.js';

type Inspector = typeof import('node:inspector');
type Fn = (...args: never[]) => unknown;

/** What V8's inspector tells of a function. */
export interface FunctionFacts {
  /** The URL of the script in which it stands; empty for none. */
  readonly url: string;
  /** The scopes around it, the innermost first, without the global one. */
  readonly scopes: readonly Scope[];
}

export interface Scope {
  /** As V8 calls it: `Closure (name)`, `Block`, `Module`, `Script`. */
  readonly kind: string;
  /** If asked for: the variables that some function uses, with what they mean now. */
  readonly variables: ReadonlyMap<string, unknown>;
}

const require = createRequire(import.meta.url);
const scriptUrls = new Map<string, string>();
const slot = Symbol.for('multiprocess.locating');
const SLOT = "globalThis[Symbol.for('multiprocess.locating')]";

// V8's inspector tells a function's script. Its debugger could name all scripts, but hashes each one to do so (20 ms and
// up); the profiler's list of functions names them in a fifth of the time.

/** @throws NotShareableError where there is no inspector. */
export function inspectFunction(fn: Fn, { variables = false, url = true } = {}): FunctionFacts {
  const { Session } = require('node:inspector') as Inspector;
  const session = new Session();
  try {
    session.connect();
  } catch (cause) {
    throw new NotShareableError(
      'This build of Node has no inspector, so functions cannot be located. Use { module, export } as the target.',
      { cause },
    );
  }
  const post = <T>(method: string, parameters: object = {}): T => {
    let answer: { error: Error | null; result: T } | undefined;
    session.post(method, parameters, (error: Error | null, result?: object) => {
      answer = { error, result: result as T };
    });
    if (answer === undefined) throw new Error(`V8's inspector did not answer ${method}.`);
    if (answer.error) throw answer.error;
    return answer.result;
  };
  const globals = globalThis as unknown as Record<symbol, unknown>;
  globals[slot] = fn;
  try {
    type Remote = { result: { objectId: string } };
    type Value = { objectId?: string; description?: string; value?: { scriptId: string } };
    type Properties = { internalProperties?: { name: string; value?: Value }[]; result: { value?: Value }[] };
    const properties = (objectId: string) =>
      post<Properties>('Runtime.getProperties', { objectId, ownProperties: true });
    const remote = post<Remote>('Runtime.evaluate', { expression: SLOT });
    const { internalProperties = [] } = properties(remote.result.objectId);
    const internal = (name: string) => internalProperties.find((property) => property.name === name)?.value;
    const listId = internal('[[Scopes]]')?.objectId;
    const scriptId = internal('[[FunctionLocation]]')?.value?.scriptId;
    const list = listId === undefined ? [] : properties(listId).result.map(({ value }) => value);
    const variablesOf = (objectId: string): Map<string, unknown> => {
      post('Runtime.callFunctionOn', { objectId, functionDeclaration: `function () { ${SLOT} = this.object }` });
      const scope = globals[slot] as Record<string, unknown>;
      return new Map(Object.getOwnPropertyNames(scope).map((name) => [name, scope[name]]));
    };
    const scopes = list.flatMap((value) => {
      const kind = value?.description ?? '';
      if (kind.startsWith('Global') || value?.objectId === undefined) return [];
      return [{ kind, variables: variables ? variablesOf(value.objectId) : new Map<string, unknown>() }];
    });
    if (scriptId === undefined || !url) return { url: '', scopes };
    if (!scriptUrls.has(scriptId)) {
      post('Profiler.enable');
      const { result } = post<{ result: { scriptId: string; url: string }[] }>('Profiler.getBestEffortCoverage');
      for (const script of result) scriptUrls.set(script.scriptId, script.url);
    }
    if (!scriptUrls.has(scriptId)) {
      session.on('Debugger.scriptParsed', ({ params }) => scriptUrls.set(params.scriptId, params.url));
      post('Debugger.enable');
    }
    return { url: scriptUrls.get(scriptId) ?? '', scopes };
  } finally {
    delete globals[slot];
    session.disconnect();
  }
}
