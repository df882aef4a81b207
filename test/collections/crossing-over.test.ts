// Two processes, each in a function that one container calls, touch the container that the other is in: nobody waits for anybody,
// and nothing is lost.
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type DictProxy, type ListProxy, Process, SharedDict, SharedList, SharedNamespace } from 'multiprocess';
import { type Counted, crossOver } from '../programs/crossing-targets.js';

const TIMES = 300;
const PATIENCE_MS = 60_000;

const make: Record<string, () => Counted> = {
  dict: () => SharedDict<string, number>(),
  list: () => SharedList<number>([0, 0, 0]),
  namespace: () => SharedNamespace<Record<string, number>>({}),
};

/** How often a container's own function has counted, and how often others have from within theirs. */
function counted(kind: string, object: Counted): [computed: number, transacted: number, byOthers: number] {
  if (kind === 'list') return [0, 1, 2].map((index) => (object as ListProxy<number>).get(index)) as never;
  if (kind === 'dict') return ['a', 'b', 'c'].map((key) => (object as DictProxy<string, number>).get(key, 0)) as never;
  return ['a', 'b', 'c'].map((name) => (object as Record<string, number>)[name] ?? 0) as never;
}

describe('crossing over', () => {
  for (const [one, other] of [
    ['dict', 'dict'],
    ['list', 'list'],
    ['namespace', 'namespace'],
    ['dict', 'list'],
    ['dict', 'namespace'],
    ['list', 'namespace'],
  ] as const) {
    test(`${one} and ${other}`, { timeout: 2 * PATIENCE_MS }, async () => {
      const [a, b] = [make[one]!(), make[other]!()];
      const children = [
        [a, b],
        [b, a],
      ].map((args) => new Process({ target: crossOver, args: [...args, TIMES] as [Counted, Counted, number] }));
      for (const child of children) child.start();
      for (const child of children) {
        assert.equal(await child.join({ timeout: PATIENCE_MS }), true);
        assert.equal(child.exitCode, 0);
      }
      for (const [kind, object] of [
        [one, a],
        [other, b],
      ] as const) {
        const [computed, transacted, byOthers] = counted(kind, object);
        // A namespace has no compute. A function may be called again; what it has done elsewhere is done.
        assert.equal(computed, kind === 'namespace' ? 0 : TIMES);
        assert.equal(transacted, TIMES);
        assert.ok(byOthers >= TIMES, `${byOthers} by the other`);
      }
    });
  }
});
