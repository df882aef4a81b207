// A synchronous stretch is what runs without giving the event loop, or any other async function, a turn. Its number changes
// with the first microtask after it, so one microtask serves a whole stretch, however many locks are taken in it.

let current = 1;
let scheduled = false;

export function synchronousStretch(): number {
  if (!scheduled) {
    scheduled = true;
    queueMicrotask(end);
  }
  return current;
}

function end(): void {
  scheduled = false;
  current += 1;
}
