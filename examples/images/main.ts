// Histograms and thumbnails of pictures, computed by a pool on pixels in shared memory: no picture is copied. The pictures are
// made here. Usage: node build/examples/images/main.js [folder] [--pictures N]
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { Bar, Presets } from 'cli-progress';
import { isMainProcess, Pool, SharedMemory } from 'multiprocess';
import { PNG } from 'pngjs';
import { histogramAndThumbnail, type Picture, paint } from './pixels.js';

if (isMainProcess) {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { pictures: { type: 'string' } } });
  const folder = resolve(positionals[0] ?? join(tmpdir(), 'thumbnails'));
  const count = Number(values.pictures ?? 8);
  mkdirSync(folder, { recursive: true });

  const [width, height, scale] = [1024, 768, 8];
  const bytes = width * height * 4;
  const smallBytes = bytes / (scale * scale);
  // One block for all pictures, and behind them all thumbnails: workers read and write their part of it.
  using block = SharedMemory.create(count * (bytes + smallBytes));
  const pictures = Array.from(
    { length: count },
    (_, i): Picture => ({
      number: i,
      width,
      height,
      scale,
      pixels: block.view(Uint8Array, i * bytes, bytes),
      thumbnail: block.view(Uint8Array, count * bytes + i * smallBytes, smallBytes),
    }),
  );

  await using pool = new Pool();
  await pool.map(paint, pictures);

  const bar = new Bar({ clearOnComplete: true }, Presets.rect);
  bar.start(count, 0);
  const results = await pool.map(histogramAndThumbnail, pictures, {
    chunksize: 1,
    onProgress: (done) => bar.update(done),
  });
  bar.stop();

  for (const { number, thumbnail } of pictures) {
    const png = new PNG({ width: width / scale, height: height / scale });
    png.data.set(thumbnail);
    const file = join(folder, `thumbnail-${number}.png`);
    writeFileSync(file, PNG.sync.write(png));
    const { darkest, brightest, mean } = results[number]!;
    console.log(`thumbnail-${number}.png: brightness ${darkest} to ${brightest}, ${mean.toFixed(1)} on average`);
  }
  console.log(`${count} thumbnails are in ${folder}`);
}
