export { ListProxy, SharedList } from './shared-list.js';
