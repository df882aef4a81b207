// As test/heap/lockstep.test.ts, for dicts.
import { scenes } from '../programs/dict-scenes.js';
import { testScenes } from '../support/lockstep/test-scenes.js';

testScenes('dict-scenes', scenes);
