import type { FunctionLocation } from '../codec/internal.js';

/** What a server is told by who starts it. */
export interface ServerConfig {
  /** Default: a private one. */
  readonly path?: string;
  /** Files that go when it ends. */
  readonly files: readonly string[];
  readonly types: readonly (readonly [
    typeid: string,
    location: FunctionLocation,
    exposed: readonly string[] | undefined,
  ])[];
  /** The most that its heap may take. Default: no limit. */
  readonly maxBytes?: number;
  /** How long calls may take that are made by those who do not say it themselves, in ms. Default: no limit. */
  readonly callTimeout?: number;
  readonly initializer?: FunctionLocation;
  /** Encoded apart, because their types may be registered by the module of the initializer. */
  readonly initargs: Uint8Array;
}

/** What a server says when it serves. */
export interface Ready {
  readonly place: string;
  readonly path: string;
}
