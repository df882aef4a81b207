// What a child does with an object of each kind that its parent's manager has made, and the parent then sees.
import type * as mp from 'multiprocess';

export async function change(kind: string, shared: unknown): Promise<unknown> {
  switch (kind) {
    case 'Event':
      (shared as mp.Event).set();
      return undefined;
    case 'Lock':
    case 'RLock': {
      const lock = shared as mp.Lock;
      const missed = lock.tryAcquire();
      return missed;
    }
    case 'Semaphore':
    case 'BoundedSemaphore':
      return (shared as mp.Semaphore).tryAcquire();
    case 'Condition': {
      const condition = shared as mp.Condition;
      return condition.run(() => condition.notify());
    }
    case 'Barrier':
      return (shared as mp.Barrier).wait({ timeout: 20_000 });
    case 'Queue':
    case 'JoinableQueue': {
      const queue = shared as mp.JoinableQueue<unknown>;
      const item = await queue.get();
      if (kind === 'JoinableQueue') queue.taskDone();
      await queue.put({ got: item });
      return undefined;
    }
    case 'list': {
      const list = shared as mp.ListProxy<unknown>;
      const found = [...list];
      list.append('from the child');
      return found;
    }
    case 'dict': {
      const dict = shared as mp.DictProxy<unknown, unknown>;
      const found = [...dict];
      dict.set('child', 2);
      return found;
    }
    case 'Value': {
      const value = shared as mp.Synchronized<'i'>;
      return value.runSync(() => {
        value.value += 1;
        return value.value;
      });
    }
    case 'Array': {
      const array = shared as mp.SynchronizedArray<'i'>;
      for (let i = 0; i < array.length; i++) array.set(i, array.get(i) * 2);
      return [...array];
    }
    case 'Namespace': {
      const namespace = shared as Record<string, number>;
      const found = { ...namespace };
      namespace['y'] = 2;
      delete namespace['x'];
      return found;
    }
    default:
      throw new Error(`There is no ${kind}.`);
  }
}
