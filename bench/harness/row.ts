/** A program that speaks the line protocol: it prints `ready`, then answers each `run <count>` with seconds. */
export interface Program {
  readonly runtime: 'node' | 'python' | 'c';
  /** The file's name without its ending, in workers/ or peers/. */
  readonly name: string;
  readonly args: readonly string[];
  /** What else has to be installed: Redis, or a package of npm's, with its version. */
  readonly needs?: string;
}

/** Somebody to compare with. */
export interface Peer {
  readonly name: string;
  readonly program: Program;
  /** What the design asks for: at least this speed against the peer's, or at most this share of its time. */
  readonly target?: number;
}

/** One operation that we and others do. */
export interface Row {
  readonly title: string;
  /** How the ratio reads: "2.00× as fast as …" (more is better) or "takes 1.20× the time of …" (less is better). */
  readonly ratio: 'speed' | 'time';
  /** Each turn takes at least as long. */
  readonly seconds: number;
  /** What an operation moves, where its throughput is of interest. */
  readonly bytes?: number;
  /** What is measured where it is not time: bytes for each, told instead of seconds. */
  readonly unit?: 'bytes';
  /** Start all programs anew for each round: where their memory happens to lie makes a difference that lasts. */
  readonly anewEachRound?: boolean;
  /** What our own median may be at most, in seconds, where that is asked for and not only a comparison. */
  readonly most?: number;
  readonly ours: Program;
  readonly peers: readonly Peer[];
}

/** How much to measure. */
export interface Scale {
  readonly rounds: number;
  /** How often everybody has a turn within a round. */
  readonly turns: number;
  readonly seconds: number;
  readonly copyBytes: number;
}
