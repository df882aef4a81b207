export { found } from './uses-queue-at-import.js';
