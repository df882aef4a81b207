import { dictOperations } from '../programs/dict-operations.js';
import { testKilledTwice } from '../support/killing-twice.js';

testKilledTwice(dictOperations, { first: 29, second: 31 });
