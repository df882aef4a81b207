import { type MeasuredRow, measureRow } from './harness/measure.js';
import { readOptions } from './harness/options.js';
import { circumstances, writeResults } from './harness/results-file.js';
import { table } from './harness/table.js';
import { Toolbox } from './harness/toolbox.js';
import { rows } from './rows/index.js';

const { scale, complete, wants } = readOptions(process.argv.slice(2));
const wanted = rows(scale).filter(({ title }) => wants(title));
if (wanted.length === 0) throw new Error('No row has that in its title.');

const toolbox = new Toolbox();
process.once('exit', () => toolbox.clear());
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

const facts = circumstances(toolbox);
const measured: MeasuredRow[] = [];
for (const row of wanted) {
  process.stderr.write(`${row.title} …\n`);
  try {
    measured.push(await measureRow(row, scale, toolbox));
  } catch (error) {
    process.exitCode = 1;
    console.error(error);
  }
}

console.log(table(measured));
console.log(
  `\nNode ${facts.node}; Python: ${facts.python}, ${facts.pythonPackage}; C: ${facts.compiler}; ${facts.cores} × ` +
    `${facts.cpu}, load ${facts.loadAtStart} at the start, Linux ${facts.kernel}; ${scale.rounds} rounds.`,
);
if (complete && process.exitCode === undefined) writeResults(measured, scale, facts);
else console.log('bench/results.json stays as it was: only a complete run that went well is kept.');
