// A real Python on the other side.
import assert from 'node:assert/strict';
import { unlinkSync } from 'node:fs';
import { describe, test } from 'node:test';
import { type ShareableItem, ShareableList, SharedMemory } from 'multiprocess';
import { runPython, startPython } from '../support/run.js';
import { eventually, shmEntries, testName } from '../support/shm.js';

// Python before 3.13 lets whoever attaches remove the block at exit (cpython#82300); this is the known way around it.
const prelude = `
import sys, json
from multiprocessing.shared_memory import SharedMemory, ShareableList
from multiprocessing import resource_tracker
def untrack(shm):
    resource_tracker.unregister(shm._name, 'shared_memory')
    return shm
`;

async function python(source: string, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runPython(prelude + source, args);
  assert.equal(code, 0, stderr);
  assert.equal(stderr, '');
  return stdout.trim();
}

describe('SharedMemory', () => {
  test('Python attaches to ours, reads and writes it', async () => {
    using block = SharedMemory.create(40);
    block.view(BigInt64Array).set([1n, 2n, 3n, 4n, 5n]);
    const out = await python(
      `
s = untrack(SharedMemory(sys.argv[1]))
v = s.buf.cast('q')
print(s.size, list(v))
for i in range(5): v[i] += 10
v.release(); s.close()`,
      block.name,
    );
    assert.equal(out, '40 [1, 2, 3, 4, 5]');
    assert.deepEqual([...block.view(BigInt64Array)], [11n, 12n, 13n, 14n, 15n]);
  });

  test('we attach to theirs, at the same time', async () => {
    const name = testName('python');
    const peer = startPython(
      `${prelude}
s = SharedMemory(sys.argv[1], create=True, size=16)
s.buf[0] = 5
print('ready', s.size)
sys.stdin.readline()
print('saw', s.buf[1])
s.close(); s.unlink()`,
      [name],
    );
    await peer.line(/ready 16/);
    const block = SharedMemory.attach(name);
    assert.equal(block.size, 16);
    assert.equal(block.buf[0], 5);
    block.buf[1] = 77;
    peer.say('go');
    await peer.line(/saw 77/);
    assert.equal((await peer.finished).stderr, '');
    assert.equal(block.buf[1], 77, 'memory stays after their unlink');
    assert.throws(() => block.unlink(), { code: 'ENOENT' });
    block.close();
  });

  test('either side removes what the other has made', async () => {
    const block = SharedMemory.create(8);
    await python(
      `
s = SharedMemory(sys.argv[1])
s.close(); s.unlink()`,
      block.name,
    );
    assert.equal(shmEntries().has(block.name), false);
    assert.throws(() => block.unlink(), { code: 'ENOENT' });
    block.close();
    const name = testName('theirs');
    await python(`untrack(SharedMemory(sys.argv[1], create=True, size=8)).close()`, name);
    using theirs = SharedMemory.attach(name);
    theirs.unlink();
    assert.equal(shmEntries().has(name), false);
  });

  test('the process that removed ours by rm or Python does not confuse our list of blocks', async () => {
    for (let i = 0; i < 200; i++) {
      const block = SharedMemory.create(8);
      unlinkSync(`/dev/shm/${block.name}`);
      block.close();
    }
    using block = SharedMemory.create(8);
    assert.ok(shmEntries().has(block.name));
  });
});

describe('ShareableList', () => {
  const values: ShareableItem[] = [
    'howdy',
    new Uint8Array([1, 2, 255]),
    -273.154,
    100,
    null,
    true,
    42,
    '',
    'h€llo 😀',
    false,
  ];
  const literal = `['howdy', b'\\x01\\x02\\xff', -273.154, 100, None, True, 42, '', 'h€llo 😀', False]`;

  test('Python reads ours as the same values with the same types', async () => {
    using list = new ShareableList<ShareableItem>(values);
    const out = await python(
      `
l = ShareableList(name=sys.argv[1]); untrack(l.shm)
expected = ${literal}
got = [l[i] for i in range(len(l))]
print(got == expected, [type(a) for a in got] == [type(a) for a in expected], l.format)
l.shm.close()`,
      list.shm.name,
    );
    assert.equal(out, `True True ${list.format}`);
  });

  test('and writes it, so that we read that', async () => {
    using list = new ShareableList<ShareableItem>(values);
    await python(
      `
l = ShareableList(name=sys.argv[1]); untrack(l.shm)
l[0] = 'eight by'
l[1] = None
l[2] = 7
l[3] = 'str'
l[4] = 2.5
l[5] = b'bytes'
l[6] = -2**63
l[9] = True
l.shm.close()`,
      list.shm.name,
    );
    const expected = [
      'eight by',
      null,
      7,
      'str',
      2.5,
      new Uint8Array(Buffer.from('bytes')),
      -(2n ** 63n),
      '',
      'h€llo 😀',
      true,
    ];
    assert.deepEqual(list.copy(), expected);
  });

  test('we read and write theirs', async () => {
    const name = testName('their_list');
    // Its own multi-byte bug would cut 'h€llo 😀', so that one is left out.
    const peer = startPython(
      `${prelude}
l = ShareableList(['howdy', b'\\x01\\x02\\xff', -273.154, 100, None, True, 42, '', False], name=sys.argv[1])
print('ready', l.format)
sys.stdin.readline()
print(json.dumps([x if not isinstance(x, bytes) else list(x) for x in l]))
l.shm.close(); l.shm.unlink()`,
      [name],
    );
    const [, format] = await peer.line(/ready (.*)/);
    const list = new ShareableList<ShareableItem>(null, { name });
    assert.equal(list.format, format);
    assert.deepEqual(list.copy(), ['howdy', new Uint8Array([1, 2, 255]), -273.154, 100, null, true, 42, '', false]);
    list.set(0, 'changed');
    list.set(1, 1.25);
    list.set(2, 9);
    list.set(3, null);
    list.set(4, 'text');
    list.set(5, new Uint8Array([9, 8]));
    list.set(6, false);
    list.set(8, 2n ** 62n);
    peer.say('go');
    const [, json] = await peer.line(/(\[.*\])/);
    assert.equal(json, '["changed", 1.25, 9, null, "text", [9, 8], false, "", 4611686018427387904]');
    assert.equal((await peer.finished).stderr, '');
    list.close();
  });

  test('a string that Python has cut is an error that says so, not garbage', async () => {
    const name = testName('cut');
    const made = await python(
      `
l = ShareableList(['a€€€€€€'], name=sys.argv[1]); untrack(l.shm)
l.shm.close(); print('made')`,
      name,
    );
    assert.equal(made, 'made');
    using list = new ShareableList(null, { name });
    assert.throws(() => list.get(0), { code: 'ERR_MULTIPROCESS_CORRUPT_SEGMENT' });
    list.unlink();
  });

  test('values ending in NUL are readable on their side, which strips the NULs as it always does', async () => {
    using list = new ShareableList<ShareableItem>([new Uint8Array([97, 98, 0]), 'x\0\0', new Uint8Array(8)]);
    const out = await python(
      `
l = ShareableList(name=sys.argv[1]); untrack(l.shm)
print([l[i] for i in range(len(l))])
l.shm.close()`,
      list.shm.name,
    );
    assert.equal(out, "[b'ab', 'x', b'']");
  });
});

test('Python can store something longer where Node has stored a value ending in NUL', async () => {
  using list = new ShareableList<ShareableItem>([new Uint8Array([1, 2, 0]), 'x\0', 5]);
  list.set(2, 'text\0');
  await python(
    `
l = ShareableList(name=sys.argv[1]); untrack(l.shm)
l[0] = b'abcdef'
l[1] = 'world'
l[2] = 'longer'
l.shm.close()`,
    list.shm.name,
  );
  assert.deepEqual(list.copy(), [new Uint8Array(Buffer.from('abcdef')), 'world', 'longer']);
});

test('a Python process that is killed while attached harms nothing', async () => {
  using block = SharedMemory.create(8);
  const peer = startPython(
    `${prelude}\ns = untrack(SharedMemory(sys.argv[1]))\ns.buf[0] = 3\nprint('in')\nsys.stdin.readline()`,
    [block.name],
  );
  await peer.line(/in/);
  await peer.kill();
  await eventually('the block is still there', () => shmEntries().has(block.name));
  assert.equal(block.buf[0], 3);
});
