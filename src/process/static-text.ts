// What the text of a module says of its imports and exports. It is read without being parsed as a whole: at worst a function
// is taken for exported that is not, and then the process that does not find it says so.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** An import by which a module has a variable. */
export interface StaticImport {
  readonly specifier: string;
  /** What is imported; nothing for the whole namespace. */
  readonly name?: string;
}

/** The text of a module, where it can be had. */
export function textOfModule(url: string): string | undefined {
  try {
    if (url.startsWith('file:')) return readFileSync(fileURLToPath(url), 'utf8');
    const data = /^data:[^,]*?(;base64)?,(.*)$/s.exec(url);
    if (data) return data[1] ? Buffer.from(data[2]!, 'base64').toString() : decodeURIComponent(data[2]!);
  } catch {}
  return undefined;
}

/** Whether a module exports a function of that name, as far as its text tells. */
export function exportsByText(text: string, name: string): boolean {
  if (name === '' || !/^[\w$]+$/.test(name)) return false;
  const escaped = name.replaceAll('$', '\\$');
  const word = `(?<![\\w$.])${escaped}(?![\\w$])`;
  return [
    `\\bexport\\s+(default\\s+)?(async\\s+)?function\\b[\\s*]*${word}`,
    `\\bexport\\s+(default\\s+)?(abstract\\s+)?class\\s+${word}`,
    `\\bexport\\s+(const|let|var)\\s+([^;=]*,\\s*)?${word}`,
    `\\bexport\\s+(const|let|var)\\s+[{[][^=]*${word}`,
    `\\bexport\\s*\\{[^}]*${word}`,
    `\\bexport\\s+default\\s+${word}`,
    `\\bexport\\s+default\\s+\\{[^}]*${word}`,
    ...(name === 'default' ? ['\\bexport\\s+default\\b'] : []),
  ].some((pattern) => new RegExp(pattern).test(text));
}

const IMPORT =
  /(?<![\w$.])import\s*(?:([\w$]+)\s*(?:,\s*)?)?(?:\*\s*as\s+([\w$]+)\s*|\{([^}]*)\}\s*)?from\s*(?:'([^'\n]+)'|"([^"\n]+)")/g;

/** The variables that a module's import statements make. */
export function importsByText(text: string): Map<string, StaticImport> {
  const found = new Map<string, StaticImport>();
  for (const [, whole, namespace, named, single, double] of text.matchAll(IMPORT)) {
    const specifier = (single ?? double)!;
    if (whole !== undefined && whole !== 'type') found.set(whole, { specifier, name: 'default' });
    if (namespace !== undefined) found.set(namespace, { specifier });
    for (const item of named?.split(',') ?? []) {
      const [, name, local] = /^\s*([\w$]+|'[^']*'|"[^"]*")(?:\s+as\s+([\w$]+))?\s*$/.exec(item) ?? [];
      if (name !== undefined) found.set(local ?? name, { specifier, name: name.replace(/^(['"])(.*)\1$/, '$2') });
    }
  }
  return found;
}
