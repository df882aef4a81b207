// What a remote client and a manager's server say to each other once they know each other, in the frames of frames.ts.
// Answers are those of protocol.ts.

/** Changes whenever a client of one version could misunderstand a server of another. */
export const WIRE = 2;

/** What remote clients say. Each is followed by what it needs, as one encoded array. */
export const say = {
  /** [number of the object, method, arguments, options of a call that waits] → what it returns */
  call: 1,
  /** Nobody wants the answer to the request of this number: the call is given up, if it waits. Gets no answer. */
  cancel: 2,
  /** [number of an object, how often its name was received]: the client has it no more. Gets no answer. */
  drop: 3,
  /** [number of a stream] → [whether it is at its end, the next value] */
  next: 4,
  /** [number of a stream]: nobody wants more of it */
  leave: 5,
  /** The client goes of its own accord. Gets no answer. */
  bye: 6,
  /** The same as `call`, of an object of a registered type, or (0) of the manager: code that runs in the server itself. */
  invoke: 7,
} as const;

/** The number of the manager itself among the objects. */
export const MANAGER = 0;

/** What the server says first, in JSON. */
export interface RemoteGreeting {
  readonly wire: number;
  /** The types that are registered with the manager. */
  readonly types: readonly string[];
}

/** How an object is called by the server: its number, and what a client must know of it. */
export type ObjectName =
  | readonly [number: number, kind: string]
  | readonly [
      number: number,
      kind: 'remote',
      typeid: string,
      methods: readonly string[],
      generators: readonly string[],
    ];
