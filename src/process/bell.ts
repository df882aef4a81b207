let descriptor: number | undefined;

/** In a child that was started by `startWithBell`: by what it wakes its parent. */
export function bellDescriptor(): number | undefined {
  return descriptor;
}

/** For the child's bootstrap: where what it was given besides begins. */
export function giveBell(first: number): void {
  descriptor = first;
}
