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

/**
 * A function's source as an expression.
 *
 * @throws SyntaxError for one that cannot stand by itself: an accessor, or one with private names or `import.meta`.
 */
export function asExpression(source: string): string {
  if (/^(get|set)\s+[^(\s]/.test(source)) throw new SyntaxError('it is an accessor');
  try {
    new Script(`"use strict"; (${source}\n)`);
    return source;
  } catch (error) {
    const method = `Object.values({ ${source}\n })[0]`;
    try {
      new Script(`"use strict"; (${method}\n)`);
    } catch {
      throw error;
    }
    return method;
  }
}
