// Closes its connection while it asks for something, and says when it has ended.
//   node remote-closing.js ADDRESS KEY
import { connect } from 'multiprocess';

const [address, authkey] = process.argv.slice(2);
const remote = await connect(address!, { authkey });
const dict = await remote.dict<string, number>();
for (let i = 0; i < 100; i++) void dict.increment('count').catch(() => {});
await remote.close();
console.log('closed');
