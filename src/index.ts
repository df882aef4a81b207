export * from './codec/index.js';
export {
  ClosedError,
  CorruptSegmentError,
  MultiprocessError,
  NotShareableError,
  ProcessDiedError,
  ProcessStateError,
  StaleHandleError,
  TimeoutError,
  UnsupportedPlatformError,
  ValueError,
} from './errors/index.js';
export * from './process/index.js';
export * from './shared-memory/index.js';
