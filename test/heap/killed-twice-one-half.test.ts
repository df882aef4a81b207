import { heapOperations } from '../programs/heap-operations.js';
import { testKilledTwice } from '../support/killing-twice.js';

testKilledTwice(heapOperations.filter((_, i) => i % 2 === 0));
