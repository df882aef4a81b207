import { SingleBar } from 'cli-progress';

const INTERVAL_MILLISECONDS = 100;

/** Shows how far something is, until disposed of: as a bar on a terminal, by a few plain lines anywhere else. */
export function showProgress(label: string, total: number, read: () => number): Disposable {
  const show = process.stderr.isTTY ? showBar(label, total) : showLines(label, total);
  const timer = setInterval(() => show.update(read()), INTERVAL_MILLISECONDS);
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      show.update(read());
      show.stop();
    },
  };
}

interface Display {
  update(value: number): void;
  stop(): void;
}

function showBar(label: string, total: number): Display {
  const bar = new SingleBar({
    format: `${label.padEnd(14)} [{bar}] {percentage} %`,
    barsize: 50,
    hideCursor: true,
    // Signals are the program's own business; disposing of the bar stops it then, too.
    gracefulExit: false,
  });
  bar.start(total, 0);
  return bar;
}

/** A line for every quarter, without control characters: for files, pipes and logs. */
function showLines(label: string, total: number): Display {
  let shown = 0;
  return {
    update(value) {
      const quarter = Math.floor((4 * value) / total);
      if (quarter > shown) process.stderr.write(`${label}: ${quarter * 25} %\n`);
      shown = Math.max(shown, quarter);
    },
    stop() {},
  };
}
