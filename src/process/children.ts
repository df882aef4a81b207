/** What is done with a child from here; {@link Process} to everybody else. */
interface Child {
  readonly daemon: boolean;
  isAlive(): boolean;
  terminate(): void;
  kill(): void;
}

const GRACE_MS = 1000;
const POLL_MS = 2;

const children = new Set<Child>();
let atExit = false;

/** Remembers a started child until it has ended. */
export function addChild(child: Child): void {
  children.add(child);
  if (!atExit) {
    atExit = true;
    // Before this process leaves its tree: daemons are members too, and keep it from being cleaned up.
    process.prependOnceListener('exit', endDaemons);
  }
}

export function removeChild(child: Child): void {
  children.delete(child);
}

/** The children that still run. */
export function livingChildren(): Child[] {
  return [...children].filter((child) => child.isAlive());
}

// Before the kernel kills them with this process, daemons get a moment to end by themselves.
function endDaemons(): void {
  const daemons = livingChildren().filter((child) => child.daemon);
  for (const daemon of daemons) daemon.terminate();
  const deadline = performance.now() + GRACE_MS;
  const sleeper = new Int32Array(new SharedArrayBuffer(4));
  while (daemons.some((daemon) => daemon.isAlive()) && performance.now() < deadline) {
    Atomics.wait(sleeper, 0, 0, POLL_MS); // the event loop has ended; the kernel is asked instead
  }
  for (const daemon of daemons) if (daemon.isAlive()) daemon.kill();
}
