import { open } from '../../codec/index.js';
import { closeWrapper, Deputy, type Heap } from '../../heap/internal.js';

/** An object in use. */
export interface Use {
  readonly object: object;
  /** To be called once. */
  letGo(): void;
}

/** Opens an object for a deputy. */
export function openFor(deputy: Deputy, handle: string): object {
  return deputy.open(() => open(handle)) as object;
}

/** Lets go of what was opened for a deputy, at once. */
export function close(object: object): void {
  try {
    closeWrapper(object);
  } catch {
    // declared dead: its reaper gives the hold back
  }
}

/**
 * The objects that remote clients use of which it does not matter who does it: opened once for all, and let go of when the
 * last of them has let go. The server's own code never sees these wrappers.
 */
export class CommonObjects {
  readonly #deputy = new Deputy();
  readonly #used = new Map<string, { readonly object: object; users: number }>();

  /**
   * @param heap the manager's: clients who need no place of their own go on when those who do have taken all others.
   * @throws TooManyParticipantsError
   */
  constructor(heap: Heap) {
    this.#deputy.join(heap);
  }

  /** @throws StaleHandleError when it is gone. */
  use(handle: string): Use {
    const known = this.#used.get(handle);
    const used = known ?? { object: openFor(this.#deputy, handle), users: 0 };
    if (known === undefined) this.#used.set(handle, used);
    used.users += 1;
    return {
      object: used.object,
      letGo: () => {
        used.users -= 1;
        if (used.users > 0) return;
        this.#used.delete(handle);
        close(used.object);
      },
    };
  }

  end(): void {
    this.#deputy.end(false);
  }
}
