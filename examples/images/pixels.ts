// What the workers do with pixels: four bytes each, red, green, blue, and how opaque they are.

export interface Picture {
  readonly number: number;
  readonly width: number;
  readonly height: number;
  /** How many times smaller the thumbnail is. */
  readonly scale: number;
  /** Both lie in shared memory: a worker has the very memory that the main process has. */
  readonly pixels: Uint8Array;
  readonly thumbnail: Uint8Array;
}

/** How bright a picture is, from 0 to 255. */
export interface Brightness {
  readonly darkest: number;
  readonly brightest: number;
  readonly mean: number;
}

/** Fills a picture with rings of colour around a centre of its own. */
export function paint({ number, width, height, pixels }: Picture): void {
  const [centerX, centerY] = [width * (0.2 + ((number * 0.37) % 0.6)), height * (0.2 + ((number * 0.23) % 0.6))];
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const distance = Math.hypot(x - centerX, y - centerY);
      pixels[at++] = 128 + 127 * Math.sin(distance / 23 + number);
      pixels[at++] = 128 + 127 * Math.sin(distance / 31);
      pixels[at++] = (255 * (x + y)) / (width + height);
      pixels[at++] = 255;
    }
  }
}

/** Counts how often each brightness is there, and makes the thumbnail of the average colours. */
export function histogramAndThumbnail({ width, height, scale, pixels, thumbnail }: Picture): Brightness {
  const histogram = new Uint32Array(256);
  const sums = new Uint32Array(thumbnail.length);
  for (let y = 0, at = 0; y < height; y++) {
    for (let x = 0; x < width; x++, at += 4) {
      const [red, green, blue] = [pixels[at]!, pixels[at + 1]!, pixels[at + 2]!];
      histogram[((red * 299 + green * 587 + blue * 114) / 1000) | 0]! += 1;
      const to = (Math.floor(y / scale) * (width / scale) + Math.floor(x / scale)) * 4;
      sums[to]! += red;
      sums[to + 1]! += green;
      sums[to + 2]! += blue;
    }
  }
  for (let i = 0; i < sums.length; i++) thumbnail[i] = i % 4 === 3 ? 255 : sums[i]! / (scale * scale);
  let weighted = 0;
  histogram.forEach((count, brightness) => {
    weighted += count * brightness;
  });
  return {
    darkest: histogram.findIndex((count) => count > 0),
    brightest: histogram.findLastIndex((count) => count > 0),
    mean: weighted / (width * height),
  };
}
