import { valueOperations } from '../programs/value-operations.js';
import { testKilledTwice } from '../support/killing-twice.js';

testKilledTwice(valueOperations, { first: 19, second: 31 });
