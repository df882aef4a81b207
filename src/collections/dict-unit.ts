import type { Place } from '../heap/internal.js';
import type { Dict } from './dict.js';
import type { DictOperations } from './dict-operations.js';
import { DictOverlay } from './dict-overlay.js';
import { publishOverlay } from './dict-publish.js';
import type { Transactable } from './transact.js';

/** A dict as its wrapper uses it: the shared one, or within a `transact` what that sees of it. */
export class DictUnit implements Transactable {
  readonly dict: Dict;
  /** Where all operations go. */
  operations: DictOperations;
  #overlay: DictOverlay | undefined;

  constructor(dict: Dict) {
    this.dict = dict;
    this.operations = dict;
  }

  get place(): Place {
    return this.dict.place;
  }

  begin(): void {
    this.#overlay = new DictOverlay(this.dict);
    this.operations = this.#overlay;
  }

  publish(): boolean {
    // What publishing reads is the shared dict.
    this.operations = this.dict;
    return publishOverlay(this.dict, this.#overlay!);
  }

  end(): void {
    this.operations = this.dict;
    this.#overlay?.drop();
    this.#overlay = undefined;
  }
}
