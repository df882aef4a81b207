/**
 * How shared objects travel where their handles mean nothing: to another machine. Both sides of a connection have names of
 * their own for what they tell each other of.
 */
export interface Translation {
  /** The name of a shared object; undefined for one that cannot be told of. */
  nameOf(shared: object): string | undefined;
  /** Whether memory that is shared, which is `ArrayBuffer`s and views over them, has names too. */
  readonly memory?: boolean;
  /** What the other side has named. @throws for a name that is none. */
  named(name: string): object;
}
