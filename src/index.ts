export * from './codec/index.js';
export * from './collections/index.js';
export {
  AuthenticationError,
  BrokenBarrierError,
  ClosedError,
  CorruptSegmentError,
  DeadlockError,
  ManagerClosedError,
  ManagerNotStartedError,
  MultiprocessError,
  NameConflictError,
  NotOwnerError,
  NotShareableError,
  ProcessDiedError,
  ProcessStateError,
  QueueClosedError,
  QueueEmptyError,
  QueueFullError,
  RemoteError,
  StaleHandleError,
  TimeoutError,
  TooManyParticipantsError,
  UncertainOutcomeError,
  UnsupportedPlatformError,
  ValueError,
  WorkerDiedError,
} from './errors/index.js';
export * from './managers/index.js';
export * from './pool/index.js';
export * from './process/index.js';
export * from './queues/index.js';
export * from './shared-memory/index.js';
export * from './sharedctypes/index.js';
export * from './synchronize/index.js';
