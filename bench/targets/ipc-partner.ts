// The other end of `child_process` IPC: for a stream counts what it gets, for round trips sends it back.
const [what, size] = process.argv.slice(2);
let left = 0;
process.on('message', (message: { count?: number; value?: unknown }) => {
  if (message.count !== undefined) {
    left = message.count;
  } else if (what === 'back') {
    process.send!(message);
  } else {
    left -= 1;
    if (left === 0) process.send!({ last: size === 'large' ? (message.value as Uint8Array).length : message.value });
  }
});
