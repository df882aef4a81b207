// A target whose module does not import the library.
export function describe(manager: { address: string; Event(): { set(): void; isSet(): boolean } }): string {
  const event = manager.Event();
  event.set();
  return `${event.isSet()} ${manager.address}`;
}

export async function call(remote: { increment(by: number): Promise<number> }): Promise<number> {
  return remote.increment(5);
}
