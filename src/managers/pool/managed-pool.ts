import { open } from '../../codec/index.js';
import { registerSharedKind } from '../../codec/internal.js';
import { ValueError } from '../../errors/index.js';
import { enterWrapper, formatPlace, openAsOwn, type Place, placeOf, rootKind, wrapperAt } from '../../heap/internal.js';
import type { Pool } from '../../pool/index.js';
import { type PoolFacts, PoolObject, type Workforce } from '../../pool/internal.js';
import { linkAt, splitPlace } from '../link.js';
import { servedHere } from '../served-here.js';
import type { Board, BoardFacts } from './board.js';
import { RemoteCrew } from './remote-crew.js';

/** Where a pool is, and what is held with it. */
export interface PoolWhereabouts {
  readonly place: Place;
  readonly board: Board;
  readonly handle: string;
}

/** A pool in a manager's server. */
export class ManagedPool extends PoolObject implements Pool {
  static {
    Object.defineProperty(ManagedPool, 'name', { value: 'Pool' });
  }

  readonly #where: PoolWhereabouts;

  constructor(crew: Workforce, facts: PoolFacts, where: PoolWhereabouts) {
    super(crew, facts);
    this.#where = where;
  }

  get handle(): string {
    return this.#where.handle;
  }

  /** For the rooms of managers alone. */
  static whereabouts(pool: ManagedPool): PoolWhereabouts {
    return pool.#where;
  }
}

export function poolHandle(place: Place, board: string, manager: string): string {
  return `mp:pool:${formatPlace(place)}:${Buffer.from(board).toString('base64url')}:${manager}`;
}

/** The pool itself where it lives, otherwise the one wrapper that this environment has of it. */
function openPool(fields: string): ManagedPool {
  const { place, rest } = splitPlace(fields);
  const [, boardText, manager] = /^([\w-]+):(.*)$/s.exec(rest) ?? [];
  if (boardText === undefined || manager === undefined) {
    throw new ValueError(`This is not the handle of a manager's pool: '${fields.slice(0, 80)}'.`);
  }
  const link = linkAt(manager);
  // Calls say where in the manager's heap it is.
  if (place.heap !== link.heap) throw new ValueError('This is the handle of an object of another manager.');
  const here = servedHere();
  if (link.isHere && here !== undefined) {
    return (here.find(place.at.address, place.at.serial).object as { object: ManagedPool }).object;
  }
  return wrapperAt(place, rootKind.instance, (found) => {
    const board = open(Buffer.from(boardText, 'base64url').toString() as never) as Board;
    const { processes, allowSource } = board.get('facts') as BoardFacts;
    const crew = new RemoteCrew(link, found.at, board);
    const pool = new ManagedPool(
      crew,
      { processes, allowSource, sealed: true },
      { place: found, board, handle: `mp:pool:${fields}` },
    );
    crew.worksFor(pool);
    enterWrapper(pool, found);
    return pool;
  });
}

registerSharedKind<ManagedPool>({
  kind: 'pool',
  type: ManagedPool,
  module: import.meta.url,
  handle: (pool) => pool.handle,
  places: (pool) => {
    const { place, board } = ManagedPool.whereabouts(pool);
    return [place, placeOf(board)];
  },
  open: (fields) => openAsOwn(() => openPool(fields)),
});
