import type { DictProxy } from '../../collections/index.js';
import type { PoolStats } from '../../pool/index.js';

/**
 * What everybody may know of a pool in a manager's server: a shared dict that the server writes. So it can be asked for without
 * waiting for the server, which may be busy, or stopped.
 */
export type Board = DictProxy<'facts' | 'state', any>;

export interface BoardFacts {
  readonly processes: number;
  readonly allowSource: boolean;
}

export interface BoardState extends PoolStats {
  readonly closed: boolean;
}
