// As test/heap/lockstep.test.ts, for shared lists.
import { scenes } from '../programs/list-scenes.js';
import { testScenes } from '../support/lockstep/test-scenes.js';

testScenes('list-scenes', scenes);
