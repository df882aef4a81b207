// Meets the manager of a name, or starts it, and says whose it is: node named-manager.js NAME [LINGER] [how long to stay, ms]
import { MarkedManager } from './manager-targets.js';

const [name, linger = '200', stay = '0'] = process.argv.slice(2);
const manager = new MarkedManager({ name: name!, linger: Number(linger) });
await manager.start();
const marked = await manager.Marked();
console.log(`server ${await marked.pid()}`);
if (stay === 'forever') setInterval(() => {}, 1000);
else setTimeout(() => void manager.close(), Number(stay));
