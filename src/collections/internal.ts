// What the rooms above may use of this one besides its public face.
export { defaultOrder } from './default-order.js';
export { copyOfKey } from './dict-keys.js';
export { settingsFrom, ttlOf } from './dict-options.js';
export { pairsOf } from './pairs.js';
export { refuseThenable } from './refuse-thenable.js';
export { sameAs } from './same-value.js';
