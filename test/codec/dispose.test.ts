import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  dispose,
  handleOf,
  Lock,
  open,
  Queue,
  RawArray,
  SharedDict,
  SharedMemory,
  SharedNamespace,
  StaleHandleError,
} from 'multiprocess';

test('whatever lies in a heap can be disposed of', () => {
  for (const shared of [
    new Lock(),
    Queue(),
    SharedDict({ dispose: 1 }),
    SharedNamespace({ dispose: 1 }),
    RawArray('i', 4),
  ]) {
    const handle = handleOf(shared as object) as string;
    dispose(shared);
    assert.throws(() => open(handle), StaleHandleError);
    assert.throws(() => dispose(shared), StaleHandleError);
  }
});

test('what cannot be', () => {
  using block = SharedMemory.create(4);
  for (const other of [{}, new Uint8Array(2), new ArrayBuffer(2), block, block.buf, null, 5]) {
    assert.throws(() => dispose(other as object), TypeError);
  }
  assert.equal(block.buf.length, 4);
});
