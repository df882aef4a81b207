interface Finder {
  find(address: number, serial: number): { readonly object: object };
}

let served: Finder | undefined;

/** The objects of registered types that live in this very process, if it is a manager's server. */
export function servedHere(): Finder | undefined {
  return served;
}

export function serveHere(instances: Finder): void {
  served = instances;
}
