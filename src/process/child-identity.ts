// Imported first of all by child-main.ts, so that every module evaluated after it knows that this is a child.
import { IDENTITY_VARIABLE } from './identity.js';
import { RECORD_DESCRIPTOR, readSpawnRecord } from './spawn-record.js';

export const { header, args } = readSpawnRecord(RECORD_DESCRIPTOR);
export const self = { ...header.process, pid: process.pid };

process.env[IDENTITY_VARIABLE] = JSON.stringify({ process: self, parent: header.parent });
