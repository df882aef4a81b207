import type { Peer, Program } from '../harness/row.js';

export const node = (name: string, ...args: string[]): Program => ({ runtime: 'node', name, args });
export const python = (name: string, ...args: string[]): Program => ({ runtime: 'python', name, args });
export const c = (name: string, ...args: string[]): Program => ({ runtime: 'c', name, args });
/** A program for Node that starts a Redis server. */
export const redis = (name: string, ...args: string[]): Program => ({ runtime: 'node', needs: 'redis', name, args });

/** One of ours that uses a package of npm's. */
export const nodeWith = (needs: string, name: string, ...args: string[]): Program => ({
  ...node(name, ...args),
  needs,
});

export function peer(name: string, program: Program, target?: number): Peer {
  return { name, program, ...(target === undefined ? {} : { target }) };
}
