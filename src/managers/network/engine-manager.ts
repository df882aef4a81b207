import type { Pool } from '../../pool/index.js';
import type { RemoteManager } from './remote-manager.js';

/** What a pool at a server may be told. */
export interface EnginePoolOptions {
  /** Which pool: workers join it by its name. Default: `pool`. */
  name?: string | undefined;
  /**
   * How many processes are expected to work for it: how many tasks are sent ahead goes by that. Default: as many as there are,
   * or else as many as processors here.
   */
  processes?: number | undefined;
}

/**
 * A server of Redis or Valkey, by `connect('redis://…')`: what a manager on another machine has, as far as there are such
 * objects at a server yet. They stay there until they are disposed of.
 */
export interface EngineManager
  extends Pick<
    RemoteManager,
    | 'dict'
    | 'list'
    | 'Namespace'
    | 'Lock'
    | 'RLock'
    | 'Semaphore'
    | 'BoundedSemaphore'
    | 'Condition'
    | 'Event'
    | 'Barrier'
    | 'Value'
    | 'Array'
    | 'Queue'
    | 'JoinableQueue'
    | 'address'
    | 'closed'
    | 'close'
    | typeof Symbol.asyncDispose
  > {
  /**
   * A pool, for which workers on any machine work: `npx multiprocess worker --url redis://… --module FILE`. They come and go as
   * they like; what is asked for waits for them. Functions are found by the names under which that module exports them.
   *
   * Ending it (`close`, `terminate`) ends what was asked for by it, here, and no workers. One that is lost with its machine fails
   * the tasks that it was at with WorkerDiedError, a lease later. `docs/beyond-one-machine.md` has more.
   *
   * @throws (rejects) TypeError and RangeError for what is no option, `initializer` among them: modules prepare themselves.
   */
  Pool(options?: EnginePoolOptions | number): Promise<Pool>;
}
