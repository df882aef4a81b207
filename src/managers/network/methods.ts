// Which methods of a manager's objects remote clients may call. Both sides go by this table.

/** Of one kind of object, by its name in handles. */
export interface RemoteMethods {
  /** Those that are done at once. */
  readonly plain: readonly string[];
  /** Those that wait, and so take options behind so many arguments. */
  readonly waiting: Readonly<Record<string, number>>;
}

const lock: RemoteMethods = { plain: ['tryAcquire', 'release', 'locked'], waiting: { acquire: 0 } };
const semaphore: RemoteMethods = { plain: ['tryAcquire', 'release', 'value'], waiting: { acquire: 0 } };
const queue: RemoteMethods = {
  plain: ['tryPut', 'tryGet', 'tryGetLease', 'ack', 'giveBack', 'qsize', 'empty', 'full', 'end'],
  waiting: { put: 1, putBack: 1, get: 0, getLease: 0 },
};
const array: RemoteMethods = {
  plain: ['get', 'set', 'at', 'length', 'slice', 'setSlice', 'add', 'exchange', 'compareExchange', 'getLock'],
  waiting: {},
};

export const remoteMethods: Readonly<Record<string, RemoteMethods>> = {
  dict: {
    plain: [
      ...['get', 'set', 'has', 'delete', 'size', 'keys', 'values', 'entries', 'clear', 'update', 'setdefault', 'pop'],
      ...['popitem', 'increment', 'compareAndSet', 'copy', 'toObject'],
    ],
    waiting: { changed: 1 },
  },
  sharedlist: {
    plain: [
      ...[
        'get',
        'at',
        'set',
        'append',
        'push',
        'extend',
        'insert',
        'pop',
        'remove',
        'index',
        'count',
        'reverse',
        'sort',
      ],
      ...['slice', 'splice', 'clear', 'length', 'copy', 'compareAndSet'],
    ],
    waiting: {},
  },
  namespace: {
    plain: ['get', 'set', 'has', 'delete', 'keys', 'toObject', 'increment', 'compareAndSet'],
    waiting: {},
  },
  lock,
  rlock: lock,
  semaphore,
  boundedsemaphore: semaphore,
  condition: { plain: ['notify', 'notifyAll', 'getLock'], waiting: { wait: 0 } },
  event: { plain: ['isSet', 'set', 'clear'], waiting: { wait: 0 } },
  barrier: { plain: ['reset', 'abort', 'parties', 'nWaiting', 'broken'], waiting: { wait: 0 } },
  queue,
  joinablequeue: { plain: [...queue.plain, 'taskDone'], waiting: { ...queue.waiting, join: 0 } },
  value: { plain: ['get', 'set', 'add', 'exchange', 'compareExchange', 'getLock'], waiting: {} },
  array,
  string: { plain: [...array.plain, 'getValue', 'setValue', 'getRaw', 'setRaw'], waiting: {} },
};

/** What the manager itself makes for remote clients, and behind how many arguments it takes options. */
export const factories = {
  dict: 1,
  list: 1,
  Namespace: 1,
  Lock: 0,
  RLock: 0,
  Semaphore: 1,
  BoundedSemaphore: 1,
  Condition: 1,
  Event: 0,
  Barrier: 1,
  Queue: 1,
  JoinableQueue: 1,
  Value: 2,
  Array: 2,
} as const;

export type FactoryName = keyof typeof factories;
