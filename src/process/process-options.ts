/** What a {@link Process} may be told besides its target. */
export interface ProcessOptions {
  /** Shown in messages and by `currentProcess()` in the child. Default: `Process-1` and so on. */
  name?: string;
  /**
   * End the child when this process ends, however it ends (or the worker thread that started it), and do not wait for it.
   * Default `false`.
   */
  daemon?: boolean;
  /** The child's whole environment, to which the library adds a variable of its own. Default: this process's. */
  env?: NodeJS.ProcessEnv;
  /**
   * Flags for Node. Default: this process's, so loaders go along, without those for a debugger, watching, tests, and
   * programs given on the command line.
   */
  execArgv?: readonly string[];
  /** Where the child's standard streams go. With `'pipe'` they are `stdin`, `stdout`, `stderr`. Default `'inherit'`. */
  stdio?: 'inherit' | 'pipe' | 'ignore';
  /**
   * Whether a function that no module exports may travel as its source. Default `true`.
   *
   * Then the child makes it anew of its text, without importing the module in which it stands. Variables around it that it uses
   * go along, as they are at that moment: plain values as copies, shared objects as the same ones, other such functions as their
   * source; what a module has imported, or exports, is imported there. What cannot travel (a class that is not exported, a native
   * function, `this` of the function around it) is an error that names it. Writing to such a variable changes it there only.
   *
   * A child runs whatever it is sent, as it would run code that it imports: functions are taken from nobody but the process that
   * started it. With `false`, only exported functions travel, so that what runs in children can be read in files.
   */
  allowSource?: boolean;
}

/** A function named by where it is. */
export interface ModuleTarget {
  /** A URL, a path (relative to the working directory), or a package's name. */
  module: string | URL;
  /** Default: the default export. */
  export?: string;
}

/** @throws TypeError for options of a wrong type. */
export function checkOptions(options: ProcessOptions & { target: unknown; args?: unknown }): void {
  if (options === null || typeof options !== 'object')
    throw new TypeError('Process takes an object: { target, args }.');
  const { target, args, name, daemon, stdio, execArgv, allowSource } = options;
  if (typeof target === 'function') {
    if (/^class\b/.test(Function.prototype.toString.call(target))) {
      throw new TypeError(`The target is a class (${target.name}); export a function that makes an instance.`);
    }
  } else {
    const { module, export: exported } = (target ?? {}) as Partial<ModuleTarget>;
    if (typeof module !== 'string' && !(module instanceof URL)) {
      throw new TypeError('target is a function, or { module, export }.');
    }
    if (exported !== undefined && typeof exported !== 'string') throw new TypeError('target.export is a string.');
  }
  if (args !== undefined && !Array.isArray(args)) throw new TypeError('args is an array.');
  if (name !== undefined && typeof name !== 'string') throw new TypeError('name is a string.');
  if (daemon !== undefined && typeof daemon !== 'boolean') throw new TypeError('daemon is a boolean.');
  if (allowSource !== undefined && typeof allowSource !== 'boolean') throw new TypeError('allowSource is a boolean.');
  if (execArgv !== undefined && !Array.isArray(execArgv)) throw new TypeError('execArgv is an array of strings.');
  if (stdio !== undefined && !['inherit', 'pipe', 'ignore'].includes(stdio)) {
    throw new TypeError("stdio is 'inherit', 'pipe' or 'ignore'.");
  }
}
