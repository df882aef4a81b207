import { synchronizeOperations } from '../programs/synchronize-operations.js';
import { testKilledAtEachStep } from '../support/killing-at-each-step.js';

testKilledAtEachStep(synchronizeOperations);
