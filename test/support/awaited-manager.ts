// A manager of this machine by the interface of one on another machine: each method awaited, each property a method.
import { dispose, type EngineManager, handleOf, type Lease, type SyncManager, transact } from 'multiprocess';

type Call = (...args: any[]) => unknown;
type Methods = Record<string, Call>;

const FACTORIES = new Set([
  ...['dict', 'list', 'Namespace', 'Lock', 'RLock', 'Semaphore', 'BoundedSemaphore', 'Condition', 'Event', 'Barrier'],
  ...['Value', 'Array', 'Queue', 'JoinableQueue'],
]);
/** What are methods on another machine, for they take time. */
const PROPERTIES = new Set(['size', 'length', 'value', 'parties', 'nWaiting', 'broken']);

const shown = new WeakMap<object, object>();
const hidden = new WeakMap<object, object>();

/** Its objects show themselves as those of a manager on another machine do; what they hold is as it is. */
export function awaited(manager: SyncManager): EngineManager {
  return new Proxy(manager, {
    get(target, key) {
      const found = Reflect.get(target, key, target);
      if (typeof found !== 'function') return found;
      if (!FACTORIES.has(key as string)) return found.bind(target);
      return async (...args: unknown[]) => show(await (found as Call).apply(target, args.map(hide)));
    },
  }) as unknown as EngineManager;
}

function show(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value) || value instanceof Date) return value;
  if (Array.isArray(value)) return value.map(show);
  const kind = kindOf(value);
  if (kind !== undefined) {
    let proxy = shown.get(value);
    if (proxy === undefined) {
      proxy = proxyOf(value, kind);
      shown.set(value, proxy);
      hidden.set(proxy, value);
    }
    return proxy;
  }
  if ('giveBack' in value) return showLease(value as Lease<unknown>);
  if (value instanceof Map) return new Map([...value].map(([key, item]) => [key, show(item)]));
  if (Symbol.iterator in value) return [...(value as Iterable<unknown>)].map(show);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, show(item)]));
}

function showLease(lease: Lease<unknown>): object {
  const { value, deliveries } = lease;
  return { value: show(value), deliveries, ack: async () => lease.ack(), giveBack: async () => lease.giveBack() };
}

function hide(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  const object = hidden.get(value);
  if (object !== undefined) return object;
  if (Array.isArray(value)) return value.map(hide);
  if (Object.getPrototypeOf(value) === Object.prototype) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, hide(item)]));
  }
  return value;
}

function kindOf(value: object): string | undefined {
  try {
    return (handleOf(value as never) as string).split(':')[1];
  } catch {
    return undefined;
  }
}

function proxyOf(object: any, kind: string): object {
  const own: Methods = kind === 'namespace' ? ofNamespace(object) : { ...ofValue(object), ...ofList(object, kind) };
  return new Proxy(kind === 'namespace' ? Object.create(null) : object, {
    get(_, key) {
      // A promise of it is one of this object.
      if (key === 'then') return undefined;
      if (key === Symbol.asyncIterator) {
        return async function* () {
          for await (const item of object) yield show(item);
        };
      }
      if (typeof key === 'symbol') return object[key];
      const call = own[key] ?? (PROPERTIES.has(key) ? () => object[key] : (...args: any[]) => object[key](...args));
      return async (...args: unknown[]) => show(await call(...args.map(hide)));
    },
  });
}

function ofValue(object: any): Methods {
  return {
    get: (...args) => (typeof object.get === 'function' ? object.get(...args) : plain(object.value)),
    set: (...args) => {
      if (typeof object.set === 'function') object.set(...args);
      else object.value = args[0];
    },
    getValue: () => object.value,
    setValue: (bytes) => {
      object.value = bytes;
    },
    getRaw: () => object.raw,
    setRaw: (bytes) => {
      object.raw = bytes;
    },
    dispose: () => object.dispose(),
  };
}

function ofList(object: any, kind: string): Methods {
  if (kind !== 'sharedlist') return {};
  return {
    compareAndSet: (index, expected, value) =>
      transact(object, (found: any) => {
        if (!Object.is(found.get(index), expected)) return false;
        found.set(index, value);
        return true;
      }),
  };
}

/** A structure in memory changes; what is awaited does not. */
function plain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || ArrayBuffer.isView(value)) return value;
  return Object.fromEntries(Object.keys(value).map((key) => [key, plain(Reflect.get(value, key))]));
}

function ofNamespace(object: any): Methods {
  return {
    get: (name) => object[named(name)],
    set: (name, value) => {
      object[named(name)] = value;
    },
    has: (name) => named(name) in object,
    delete: (name) => transact(object, (found: any) => named(name) in found && Reflect.deleteProperty(found, name)),
    keys: () => Object.keys(object),
    toObject: () => ({ ...object }),
    increment: (name, by = 1) =>
      transact(object, (found: any) => {
        found[named(name)] = (found[name] ?? 0) + by;
        return found[name];
      }),
    compute: (name, fn) =>
      transact(object, (found: any) => {
        const value = fn(found[named(name)]);
        found[name] = value;
        return value;
      }),
    compareAndSet: (name, expected, value) =>
      transact(object, (found: any) => {
        if (!Object.is(found[named(name)], expected)) return false;
        found[name] = value;
        return true;
      }),
    dispose: () => dispose(object),
  };
}

function named(name: unknown): string {
  if (typeof name !== 'string') throw new TypeError(`A property has a name; got ${typeof name}.`);
  return name;
}
