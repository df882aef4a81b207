import type { Row, Scale } from '../harness/row.js';

export function sharedMemoryCreateRows({ seconds }: Scale): Row[] {
  return [row('untouched', seconds), row('written', seconds)];
}

function row(use: 'untouched' | 'written', seconds: number): Row {
  const args = [use];
  const steps = use === 'written' ? 'create, write one byte, close, unlink' : 'create, close, unlink';
  return {
    title: `SharedMemory of 4 KiB: ${steps}`,
    ratio: 'speed',
    seconds,
    ours: { runtime: 'node', name: 'shared-memory-create', args },
    peers: [
      { name: 'Python', program: { runtime: 'python', name: 'shared_memory_create', args }, target: 1.5 },
      { name: 'C, the bare system calls', program: { runtime: 'c', name: 'shared_memory_create', args } },
    ],
  };
}
