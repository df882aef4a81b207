import type { MeasuredRow } from './measure.js';
import { wordComparison, wordLimit, wordMeasure, wordTarget } from './wording.js';

const HEADINGS = ['Operation', 'Who', 'Median', 'Min–max', 'multiprocess (min–max of the rounds)', 'Target'];

/** The results as a Markdown table, a line for each contender. */
export function table(rows: readonly MeasuredRow[]): string {
  const lines = rows.flatMap(({ row, results }) =>
    results.map((result, i) => {
      const title = i === 0 ? row.title : '';
      if ('lacking' in result) return [title, result.name, `not available: ${result.lacking}`, '', '', ''];
      const { name, time, comparison, limit } = result;
      const { median, spread } = wordMeasure(row, time);
      if (comparison === undefined) {
        return [title, name, median, spread, '', limit === undefined ? '' : wordLimit(limit)];
      }
      const compared = wordComparison(row, name, comparison);
      return [title, name, median, spread, compared, wordTarget(row.ratio, comparison)];
    }),
  );
  const all = [HEADINGS, HEADINGS.map(() => '---'), ...lines];
  return all.map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}
