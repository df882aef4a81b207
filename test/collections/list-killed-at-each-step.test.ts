import { listOperations } from '../programs/list-operations.js';
import { testKilledAtEachStep } from '../support/killing-at-each-step.js';

testKilledAtEachStep(listOperations);
