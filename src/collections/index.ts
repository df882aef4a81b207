export {
  type DictFactory,
  type DictKey,
  type DictMethods,
  type DictOptions,
  type DictProxy,
  type SetOptions,
  SharedDict,
  type SharedRecord,
} from './shared-dict.js';
export { ListProxy, SharedList } from './shared-list.js';
export { SharedNamespace } from './shared-namespace.js';
export { transact } from './transact.js';
