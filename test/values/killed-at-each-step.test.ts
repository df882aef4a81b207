import { valueOperations } from '../programs/value-operations.js';
import { testKilledAtEachStep } from '../support/killing-at-each-step.js';

testKilledAtEachStep(valueOperations);
