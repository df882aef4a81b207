export { aboutToBlock, putOffUntilBlocking, takeBack } from './before-blocking.js';
export { type ChildStatus, peekChildStatus, signalOnParentDeath } from './child-status.js';
export { type CrashPoint, crashPoint, onCrashPoint } from './crash-point.js';
export { DirectWriter } from './direct-writer.js';
export {
  closeForProcess,
  type FileFacts,
  type FileIdentity,
  fileFacts,
  openFileFacts,
  openForProcess,
  publish,
  publishOpenFile,
  removeFile,
  sameFile,
} from './file.js';
export { isLockedByOther, type LockKind, tryLockFile, unlockFile } from './file-lock.js';
export { futexWait, futexWaitAny, futexWake, MAX_WAIT_WORDS, type WaitOutcome, type WaitWord } from './futex.js';
export { lastAtExit } from './last-at-exit.js';
export { keepFreedMemory } from './malloc.js';
export { abandon, MAX_MAP_BYTES, type MemoryMap, mapShared, releaseAbandoned, viewPart } from './memory-map.js';
export { requireLinux } from './platform.js';
export { reserve } from './reserve.js';
export { errno, errorCode, type SystemError, systemError } from './system-error.js';
export { limitUnanswered } from './tcp-socket.js';
export { BlockingSocket, checkSocketPath, connectUnix } from './unix-socket.js';
