import type { FunctionLocation } from '../codec/internal.js';

/** A function that travels as its source, with the variables of its surroundings that it uses. */
export interface SourceFunction {
  readonly name: string;
  /** An expression. */
  readonly source: string;
  readonly strict: boolean;
  /** Where it stood: what its imports are relative to. */
  readonly url: string;
  readonly variables: Readonly<Record<string, Captured>>;
}

/** What a variable means. */
export type Captured =
  | { readonly kind: 'value'; readonly value: unknown }
  /** Another function of those that travel together, by number. */
  | { readonly kind: 'function'; readonly number: number }
  /** A function or class that its module exports. */
  | { readonly kind: 'located'; readonly location: FunctionLocation }
  /** What a module exports under a name; the module's namespace without one. */
  | { readonly kind: 'import'; readonly specifier: string; readonly name?: string }
  /** What the platform has under that path. */
  | { readonly kind: 'global'; readonly path: readonly string[] }
  /** The `require` of a CommonJS module. */
  | { readonly kind: 'require' };
