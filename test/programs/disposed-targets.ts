// What a process does with a container that it disposes of.
import { type DictProxy, dispose, transact } from 'multiprocess';

/** @returns what went otherwise than it should. */
export function useDisposed(object: Record<string, any>): string[] {
  dispose(object);
  const problems: string[] = [];
  for (const use of [() => transact(object as DictProxy, () => 1), () => dispose(object)]) {
    try {
      use();
      problems.push(`no error: ${use}`);
    } catch (error) {
      const { code } = error as { code?: string };
      if (code !== 'ERR_MULTIPROCESS_STALE_HANDLE') problems.push(`${use}: ${error}`);
    }
  }
  return problems;
}
