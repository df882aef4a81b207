import { operations } from '../programs/heap-operations.js';
import { testKilledTwice } from '../support/killing-twice.js';

testKilledTwice(operations.filter((_, i) => i % 2 === 0));
