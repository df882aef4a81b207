// CPython's _TestSharedMemory, as far as it has a meaning here, and what this library promises beyond.
import assert from 'node:assert/strict';
import { readFileSync, statSync } from 'node:fs';
import { describe, test } from 'node:test';
import { inspect } from 'node:util';
import { ClosedError, handleOf, open, Process, SharedMemory, StaleHandleError } from 'multiprocess';
import { fillByName, fillView } from '../programs/targets.js';
import { osError } from '../support/errors.js';
import { collectGarbage } from '../support/gc.js';
import { shmEntries, testName } from '../support/shm.js';

const detaches = 'transfer' in ArrayBuffer.prototype;

describe('basics', () => {
  test('name, size and inspect; content is zero, exact in size and private to the user', () => {
    const name = testName('basics');
    using block = new SharedMemory({ create: true, size: 512, name });
    assert.equal(block.name, name);
    assert.equal(block.size, 512);
    assert.equal(block.buf.length, 512);
    assert.ok(block.buf.every((byte) => byte === 0));
    assert.equal(inspect(block), `SharedMemory('${name}', size=512)`);
    const { size, mode } = statSync(`/dev/shm/${name}`);
    assert.equal(size, 512);
    assert.equal(mode & 0o777, 0o600);
  });

  test('what one object writes the other sees, and so does the file', () => {
    using block = SharedMemory.create(10);
    using same = SharedMemory.attach(block.name);
    block.buf[0] = 42;
    assert.equal(same.buf[0], 42);
    same.buf.set([1, 2, 3], 7);
    assert.deepEqual([...block.buf.subarray(6)], [0, 1, 2, 3]);
    assert.deepEqual([...readFileSync(`/dev/shm/${block.name}`)], [42, 0, 0, 0, 0, 0, 0, 1, 2, 3]);
  });

  test('a size given when attaching is ignored; a negative one is not', () => {
    using block = SharedMemory.create(10);
    using same = new SharedMemory({ name: block.name, size: 20 });
    assert.equal(same.size, 10);
    assert.throws(() => new SharedMemory({ name: block.name, size: -1 }), RangeError);
  });

  test('a leading slash is no part of the name', () => {
    const name = testName('slash');
    using block = SharedMemory.create(1, { name: `/${name}` });
    assert.equal(block.name, name);
    using same = SharedMemory.attach(`//${name}`);
    block.buf[0] = 9;
    assert.equal(same.buf[0], 9);
  });

  test('names of our own making are all different, and free for others', () => {
    const names = new Set<string>();
    for (let i = 0; i < 100; i++) {
      using block = SharedMemory.create(1);
      names.add(block.name);
    }
    assert.equal(names.size, 100);
  });

  test('a name can be made anew while the old memory is still open', () => {
    const name = testName('recreate');
    const old = SharedMemory.create(4, { name });
    old.buf[0] = 1;
    const oldBytes = old.buf;
    old.unlink();
    using renewed = SharedMemory.create(4, { name });
    assert.equal(renewed.buf[0], 0);
    assert.equal(oldBytes[0], 1);
    assert.throws(() => old.unlink(), osError('ENOENT'), 'must not remove the newer block of that name');
    using again = SharedMemory.attach(name);
    assert.equal(again.size, 4);
    old.close();
  });

  test('unlink removes the name at once and the memory with its last user; a second one is ENOENT', () => {
    const block = SharedMemory.create(8);
    const same = SharedMemory.attach(block.name);
    block.unlink();
    assert.throws(() => SharedMemory.attach(block.name), osError('ENOENT'));
    block.buf[3] = 5;
    assert.equal(same.buf[3], 5);
    assert.throws(() => block.unlink(), osError('ENOENT'));
    assert.throws(() => same.unlink(), osError('ENOENT'));
    block.close();
    same.close();
  });

  test('one that attached may unlink, also after close', () => {
    const block = SharedMemory.create(8);
    const same = SharedMemory.attach(block.name);
    same.close();
    same.unlink();
    assert.equal(shmEntries().has(block.name), false);
    block.close();
  });
});

describe('views', () => {
  test('of every type, where asked for', () => {
    using block = SharedMemory.create(64);
    const doubles = block.view(Float64Array);
    assert.equal(doubles.length, 8);
    doubles[1] = Math.PI;
    assert.equal(block.view(Float64Array, 8, 1)[0], Math.PI);
    assert.equal(block.view(DataView, 8, 8).getFloat64(0, true), Math.PI);
    assert.equal(block.view(BigInt64Array, 56).length, 1);
    assert.equal(block.view(Uint8Array, 64).length, 0);
    assert.equal(block.view(DataView).byteLength, 64);
    assert.equal(block.buf, block.buf);
    assert.equal(block.view(Uint16Array, 2).length, 31);
  });

  test('never beyond the block', () => {
    using block = SharedMemory.create(16);
    for (const [offset, length] of [
      [17, 0],
      [-1, 1],
      [0.5, 1],
      [8, 9],
      [Number.NaN, 1],
    ] as const) {
      assert.throws(() => block.view(Uint8Array, offset, length), RangeError, `${offset}, ${length}`);
    }
    assert.throws(() => block.view(Float64Array, 4), RangeError);
    assert.throws(() => block.view(Float64Array, 0, 3), RangeError);
  });

  test('out of range reads are undefined and writes change nothing, as with any typed array', () => {
    using block = SharedMemory.create(4);
    block.buf[4] = 1;
    assert.equal(block.buf[4], undefined);
    block.buf[0] = 257;
    assert.equal(block.buf[0], 1);
  });
});

describe('close', () => {
  test('is idempotent; name, size, handle and inspect still work, the memory does not', () => {
    const block = SharedMemory.create(8);
    const { buf } = block;
    const view = block.view(Int32Array);
    view[0] = 7;
    block.close();
    block.close();
    assert.equal(block.size, 8);
    assert.match(block.handle, /^mp:shm:/);
    assert.match(inspect(block), /closed/);
    assert.throws(() => block.buf, ClosedError);
    assert.throws(() => block.view(Uint8Array), ClosedError);
    if (detaches) {
      assert.equal(buf.length, 0);
      assert.equal(view.length, 0);
    } else {
      assert.equal(view[0], 7);
    }
    block.unlink();
  });

  test('lets go of the descriptor at once', () => {
    const block = SharedMemory.create(8);
    block.buf[0] = 1;
    const before = openDescriptors(block.name);
    block.close();
    assert.equal(openDescriptors(block.name), before - 1);
    block.unlink();
  });

  test('does not disturb other objects on the same block', () => {
    using block = SharedMemory.create(8);
    const same = SharedMemory.attach(block.name);
    same.buf[0] = 3;
    same.close();
    assert.equal(block.buf[0], 3);
  });

  test('buffers refuse to be transferred, which would let them outlive their memory', { skip: !detaches }, () => {
    using block = SharedMemory.create(8);
    const { buffer } = block.buf;
    for (const method of ['transfer', 'transferToFixedLength'] as const) {
      assert.throws(() => (buffer as unknown as Record<string, () => void>)[method]!(), TypeError);
    }
    assert.equal(block.buf.length, 8);
  });
});

describe('using', () => {
  test('closes and removes what it created, closes what it attached', () => {
    let name: string;
    {
      using block = SharedMemory.create(8);
      name = block.name;
      {
        using same = SharedMemory.attach(name);
        assert.equal(same.size, 8);
      }
      assert.ok(shmEntries().has(name));
    }
    assert.equal(shmEntries().has(name), false);
  });

  test('keeps a persistent one, and does not mind one that is gone', () => {
    const name = testName('persist');
    {
      using _block = SharedMemory.create(8, { name, persist: true });
    }
    {
      using same = SharedMemory.attach(name);
      same.unlink();
    }
    {
      using block = SharedMemory.create(8);
      SharedMemory.attach(block.name).unlink();
    }
  });
});

describe('handles', () => {
  test('open the same memory, of blocks and of views', () => {
    using block = SharedMemory.create(64);
    using same = open(handleOf(block));
    assert.ok(same instanceof SharedMemory);
    const view = open(handleOf(block.view(Int16Array, 2, 3)));
    assert.ok(view instanceof Int16Array);
    view[0] = -5;
    assert.equal(same.view(Int16Array)[1], -5);
    assert.equal(view.byteOffset, 2);
    assert.equal(view.length, 3);
    assert.equal(block.handle, handleOf(block));
    using third = open(block.handle, SharedMemory);
    assert.equal(third.name, block.name);
  });

  test('are stale once the block is gone, even if its name is taken again', () => {
    const name = testName('stale');
    const block = SharedMemory.create(8, { name });
    const handle = handleOf(block);
    const view = handleOf(block.buf);
    block.unlink();
    block.close();
    assert.throws(() => open(handle), StaleHandleError);
    using renewed = SharedMemory.create(8, { name });
    assert.throws(() => open(handle), StaleHandleError);
    assert.throws(() => open(view), StaleHandleError);
    using same = open(handleOf(renewed));
    assert.equal(same.size, 8);
  });

  test('of another kind, of nothing, or of what is not shared are refused', () => {
    using block = SharedMemory.create(8);
    assert.throws(() => open(block.handle, Float64Array as never), TypeError);
    assert.throws(() => open(handleOf(block.buf), SharedMemory), TypeError);
    assert.throws(() => handleOf(new Uint8Array(8)), TypeError);
    assert.throws(() => handleOf({}), TypeError);
    assert.throws(() => open(7 as never), TypeError);
    for (const text of ['', 'mp:', 'mp:shm:', 'mp:shm:1:2', 'mp:nothing:1:2:3', 'mp:shm:1:2:..%2Fetc%2Fpasswd']) {
      assert.throws(() => open(text), { code: 'ERR_MULTIPROCESS_VALUE' }, text);
    }
  });
});

describe('between processes', () => {
  test('by name and by view', async () => {
    using block = SharedMemory.create(100);
    const byName = new Process({ target: fillByName, args: [block.name, 3] });
    byName.start();
    await byName.result();
    assert.ok(block.buf.every((byte) => byte === 3));
    const byView = new Process({ target: fillView, args: [block.buf.subarray(10, 20), 4] });
    byView.start();
    assert.equal(await byView.result(), 10);
    assert.deepEqual([...block.buf.subarray(9, 21)], [3, ...Array(10).fill(4), 3]);
  });

  test('objects themselves cannot be posted or written as JSON, which would arrive dead', () => {
    using block = SharedMemory.create(8);
    assert.throws(() => JSON.stringify(block), TypeError);
    if ('markAsUncloneable' in process.getBuiltinModule('node:worker_threads')) {
      assert.throws(() => structuredClone(block), { name: 'DataCloneError' });
    }
  });
});

test('blocks that are dropped without close are let go of by the collector', async () => {
  const name = testName('dropped');
  const keeper = SharedMemory.create(8, { name });
  (() => {
    SharedMemory.attach(name);
    SharedMemory.attach(name).buf[0] = 1;
  })();
  const before = openDescriptors(name);
  await collectGarbage();
  await collectGarbage();
  assert.equal(before, 2, 'one of its maker, one for all who attached');
  assert.equal(openDescriptors(name), 1);
  keeper.unlink();
  keeper.close();
});

test('memory is let go of once nothing can reach it, closed or not', async () => {
  const mapped = (name: string) => readFileSync('/proc/self/maps', 'utf8').includes(name);
  const names = [true, false].map((closing) => {
    const block = SharedMemory.create(1024 * 1024);
    block.buf.fill(1);
    assert.ok(mapped(block.name));
    block.unlink();
    if (closing) block.close();
    return block.name;
  });
  for (let i = 0; i < 5 && names.some(mapped); i++) await collectGarbage();
  assert.deepEqual(names.map(mapped), [false, false]);
});

test('a loop that never lets the event loop turn comes to no limit', { timeout: 60_000 }, () => {
  for (let i = 0; i < 20_000; i++) {
    const block = SharedMemory.create(4096);
    block.buf[0] = 1;
    block.close();
    block.unlink();
  }
  assert.ok(readFileSync('/proc/self/maps', 'utf8').split('\n').length < 12_000);
});

test('a view keeps the memory when the object that gave it has been collected', async () => {
  using block = SharedMemory.create(8);
  const view = (() => SharedMemory.attach(block.name).view(Int32Array))();
  await collectGarbage();
  block.view(Int32Array)[0] = 11;
  assert.equal(view[0], 11);
});

function openDescriptors(name: string): number {
  const { readdirSync, readlinkSync } = process.getBuiltinModule('node:fs');
  return readdirSync('/proc/self/fd').filter((fd) => {
    try {
      return readlinkSync(`/proc/self/fd/${fd}`).includes(name);
    } catch {
      return false;
    }
  }).length;
}
