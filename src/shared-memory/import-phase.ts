// On the global object, so that two copies of the library in one process see the same.
const key = Symbol.for('multiprocess.importing');
type Globals = typeof globalThis & { [key]?: boolean };

/** Whether this process is a child that still imports the module of its target. */
export function isImporting(): boolean {
  return (globalThis as Globals)[key] === true;
}

export function setImporting(importing: boolean): void {
  (globalThis as Globals)[key] = importing;
}

const warned = new Set<string>();

/**
 * For a shared object made without a name while a child imports its target's module: such an object is another one in
 * each process, which is hardly ever meant. Returns what warns when the object is first used, once for each place.
 */
export function unsharedWarning(kind: string): (() => void) | undefined {
  if (!isImporting()) return undefined;
  const place = new Error().stack?.split('\n').find((line) => /^\s+at /.test(line) && !line.includes(ownFolder)) ?? '';
  return () => {
    if (warned.has(place)) return;
    warned.add(place);
    process.emitWarning(
      `A ${kind} made while a child process imports its module is another one in each process. ` +
        'Pass it in args, give it a name, or make it only if isMainProcess.',
      { type: 'MultiprocessWarning', code: 'MULTIPROCESS_UNSHARED', detail: place.trim() },
    );
  };
}

const ownFolder = new URL('..', import.meta.url).href;
