// As test/heap/lockstep.test.ts, for what processes wait for each other with.
import { scenes } from '../programs/synchronize-scenes.js';
import { testScenes } from '../support/lockstep/test-scenes.js';

testScenes('synchronize-scenes', scenes);
