import type { Peer, Row, Scale } from '../harness/row.js';

export function processStartRows({ seconds }: Scale): Row[] {
  return [
    {
      ...row('Process of an empty function: start to exit', 'noop', seconds),
      peers: [
        // The emptiest script there is, so the harder one to keep up with.
        { ...fork('CommonJS script', 'empty-script.cjs'), target: 1.3 },
        fork('ES module', 'empty-module.js'),
        { name: 'Python, method spawn', program: { runtime: 'python', name: 'process_start', args: [] } },
      ],
    },
    {
      ...row("Process whose target's module imports multiprocess: start to exit", 'noop-importing', seconds),
      peers: [fork('CommonJS script', 'empty-script.cjs')],
    },
  ];
}

function row(title: string, target: string, seconds: number): Omit<Row, 'peers'> {
  // One start takes tens of milliseconds, and starts differ.
  return {
    title,
    ratio: 'time',
    seconds: 3 * seconds,
    ours: { runtime: 'node', name: 'process-start', args: [target] },
  };
}

function fork(kind: string, script: string): Peer {
  return { name: `fork of an empty ${kind}`, program: { runtime: 'node', name: 'fork-start', args: [script] } };
}
