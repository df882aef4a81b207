import { listOperations, longListOperations } from '../programs/list-operations.js';
import { testKilledTwice } from '../support/killing-twice.js';

testKilledTwice([...listOperations, ...longListOperations], { first: 31, second: 41 });
