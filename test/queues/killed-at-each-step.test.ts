import { queueOperations } from '../programs/queue-operations.js';
import { testKilledAtEachStep } from '../support/killing-at-each-step.js';

testKilledAtEachStep(queueOperations);
