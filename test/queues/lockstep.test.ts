// As test/heap/lockstep.test.ts, for queues and pipes.
import { scenes } from '../programs/queue-scenes.js';
import { testScenes } from '../support/lockstep/test-scenes.js';

testScenes('queue-scenes', scenes);
