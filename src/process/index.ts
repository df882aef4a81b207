export type { WaitOptions } from '../heap/internal.js';
export { cpuCount, currentProcess, isMainProcess, parentProcess } from './current.js';
export type { ProcessInfo } from './identity.js';
export { activeChildren, Process } from './process.js';
export type { ModuleTarget, ProcessOptions } from './process-options.js';
