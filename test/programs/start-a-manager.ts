// node start-a-manager.js wait|end
import { MarkedManager } from './manager-targets.js';

const manager = new MarkedManager();
await manager.start();
const marked = await manager.Marked();
console.log(`pid ${await marked.pid()} address ${manager.address} handle ${manager.handle}`);
if (process.argv[2] === 'wait') setInterval(() => {}, 1000);
