import type { ExtentKind } from './layout.js';

/** What a transaction asks for when the allocator has no pages left: growth happens outside of transactions. */
export class NeedsRoom {
  /** Undefined for a file, for which the heap's limit leaves no room. */
  readonly kind: ExtentKind | undefined;
  readonly pages: number;

  constructor(kind: ExtentKind | undefined, pages: number) {
    this.kind = kind;
    this.pages = pages;
  }
}
