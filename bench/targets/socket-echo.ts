// node socket-echo.js <path>: sends back what comes, on a Unix socket, until its parent ends.
import { createServer } from 'node:net';

createServer((socket) => {
  socket.on('data', (chunk) => socket.write(chunk));
  socket.on('error', () => {});
}).listen(process.argv[2], () => process.send!('listening'));
process.once('disconnect', () => process.exit(0));
