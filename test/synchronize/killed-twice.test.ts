import { synchronizeOperations } from '../programs/synchronize-operations.js';
import { testKilledTwice } from '../support/killing-twice.js';

testKilledTwice(synchronizeOperations, { first: 19, second: 31 });
