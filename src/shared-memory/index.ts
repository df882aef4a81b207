export type { Handle } from './handle.js';
export type { Int64Reading, ShareableItem } from './list-item.js';
export { ShareableList, type ShareableListOptions } from './shareable-list.js';
export { type AttachOptions, type CreateOptions, SharedMemory, type ViewConstructor } from './shared-memory.js';
