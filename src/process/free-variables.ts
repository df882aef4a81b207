import { Script } from 'node:vm';
import { inspectFunction } from '../codec/internal.js';

/**
 * Those of the names that a function's source uses without declaring them itself. V8 tells: made inside a function that has them
 * all as parameters, the function keeps exactly those alive that it uses.
 *
 * @throws SyntaxError for a source that is none by itself (`super`, private names, `import.meta`).
 */
export function freeVariables(expression: string, names: readonly string[], strict: boolean): string[] {
  const mentioned = names.filter(
    (name) => /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) && expression.includes(name),
  );
  const around = new Script(
    `(function (${mentioned.join(', ')}) { ${strict ? '"use strict"; ' : ''}return (${expression}\n); })`,
  );
  const inner = (around.runInThisContext() as () => unknown)();
  if (typeof inner !== 'function') return [];
  const { scopes } = inspectFunction(inner as () => unknown, { variables: true, url: false });
  const used = new Set(scopes.flatMap(({ variables }) => [...variables.keys()]));
  return mentioned.filter((name) => used.has(name));
}

/** A function's source as an expression; `undefined` for accessors, which are no functions by themselves. */
export function asExpression(source: string): string | undefined {
  for (const expression of [source, `Object.values({ ${source}\n })[0]`]) {
    try {
      new Script(`"use strict"; (${expression}\n)`);
    } catch {
      continue;
    }
    if (expression !== source && /^(get|set)\s+[^(\s]/.test(source)) return undefined;
    return expression;
  }
  return undefined;
}
