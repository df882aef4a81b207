import { dictOperations } from '../programs/dict-operations.js';
import { testKilledAtEachStep } from '../support/killing-at-each-step.js';

testKilledAtEachStep(dictOperations);
