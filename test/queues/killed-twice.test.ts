import { queueOperations } from '../programs/queue-operations.js';
import { testKilledTwice } from '../support/killing-twice.js';

testKilledTwice(queueOperations, { first: 19, second: 31 });
