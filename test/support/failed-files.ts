/** A reporter for node:test that lists the files in which something failed, one a line. */
export default async function* failedFiles(
  events: AsyncIterable<{ type: string; data: { file?: string } }>,
): AsyncGenerator<string> {
  const seen = new Set<string>();
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.file === undefined || seen.has(data.file)) continue;
    seen.add(data.file);
    yield `${data.file}\n`;
  }
}
