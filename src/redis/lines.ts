import { ClusterLine } from './cluster.js';
import { type Line, ServerLine } from './line.js';
import type { Reached } from './target.js';

/** What leads to a server, or to a cluster. */
export function lineTo(reached: Reached): Line {
  return reached.seeds === undefined ? new ServerLine(() => reached.dial(), reached.address) : new ClusterLine(reached);
}
