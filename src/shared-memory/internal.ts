// What the rooms above may use of this one besides its public face.
export { formatAddress, formatFields, parseAddress } from './address.js';
export { type BlockFacts, blockOf, holdForChild, withInheritedBlocks } from './block.js';
export { borrowBuffer } from './borrowed.js';
export type { Handle } from './handle.js';
export { Hold } from './hold.js';
export { isImporting, setImporting, unsharedWarning } from './import-phase.js';
export { type BlockOnDisk, listBlocks, type TreeFacts } from './inventory.js';
export { ensureMembership } from './membership.js';
export { SHM_DIRECTORY } from './names.js';
export { membershipForChild } from './process-tree.js';
export { randomHex } from './random.js';
export { blockOfList, openShareableList } from './shareable-list.js';
export { blockBehind, openSharedMemory } from './shared-memory.js';
export { alsoSweep, sweep } from './sweep.js';
export { markUncloneable, refuseJson } from './uncloneable.js';
