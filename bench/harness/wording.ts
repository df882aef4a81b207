import type { Comparison, Limit } from './measure.js';
import type { Row } from './row.js';
import type { Summary } from './statistics.js';

/** Three digits, whatever the size. */
function digits(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3);
}

function ratio(value: number): string {
  return `${value >= 10 ? digits(value) : value.toFixed(2)}×`;
}

const units = [
  { name: 's', seconds: 1 },
  { name: 'ms', seconds: 1e-3 },
  { name: 'µs', seconds: 1e-6 },
  { name: 'ns', seconds: 1e-9 },
];

/** What has been measured, and its spread. */
export function wordMeasure(row: Row, summary: Summary): { median: string; spread: string } {
  if (row.unit === undefined) return wordTime(summary, row.bytes);
  const { median, lowest, highest } = summary;
  return { median: `${digits(median)} ${row.unit}`, spread: `${digits(lowest)}–${digits(highest)} ${row.unit}` };
}

/** A time and its spread, in the unit of the median; where bytes are moved, also how many in a second. */
function wordTime({ median, lowest, highest }: Summary, bytes?: number): { median: string; spread: string } {
  const unit = units.find(({ seconds }) => median >= seconds) ?? units.at(-1)!;
  const rate = bytes === undefined ? '' : ` (${digits(bytes / median / 1e9)} GB/s)`;
  return {
    median: `${digits(median / unit.seconds)} ${unit.name}${rate}`,
    spread: `${digits(lowest / unit.seconds)}–${digits(highest / unit.seconds)} ${unit.name}`,
  };
}

/** A sentence's end that leaves no doubt which way round the ratio is. */
export function wordComparison({ ratio: how, unit }: Row, peer: string, compared: Comparison): string {
  const { median, lowest, highest } = compared;
  const spread = `(${ratio(lowest)}–${ratio(highest)})`;
  return how === 'speed'
    ? `${ratio(median)} as fast as ${peer} ${spread}`
    : `takes ${ratio(median)} the ${unit ?? 'time'} of ${peer} ${spread}`;
}

export function wordTarget(how: Row['ratio'], { target, reached }: Comparison): string {
  if (target === undefined) return '—';
  return `${how === 'speed' ? '≥' : '≤'} ${target}×: ${reached ? 'reached' : 'MISSED'}`;
}

export function wordLimit({ most, reached }: Limit): string {
  const { median } = wordTime({ median: most, lowest: most, highest: most });
  return `≤ ${median}: ${reached ? 'reached' : 'MISSED'}`;
}
