/** Bytes that grow as they are written. */
export class ByteWriter {
  #bytes = Buffer.allocUnsafeSlow(256);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Takes back everything after `length`. */
  rewind(length: number): void {
    this.#length = length;
  }

  /** A copy of what has been written. */
  take(): Buffer {
    return Buffer.from(this.#bytes.subarray(0, this.#length));
  }

  byte(value: number): void {
    const at = this.#room(1);
    this.#bytes[at] = value;
  }

  uint32(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeUInt32LE(value, at);
  }

  /** Writes over four bytes that have been written before. */
  patchUint32(at: number, value: number): void {
    this.#bytes.writeUInt32LE(value, at);
  }

  int32(value: number): void {
    const at = this.#room(4);
    this.#bytes.writeInt32LE(value, at);
  }

  double(value: number): void {
    const at = this.#room(8);
    this.#bytes.writeDoubleLE(value, at);
  }

  bytes(value: Uint8Array): void {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
  }

  text(value: string, bytes: number, encoding: 'latin1' | 'utf16le'): void {
    const at = this.#room(bytes);
    this.#bytes.write(value, at, bytes, encoding);
  }

  #room(bytes: number): number {
    const at = this.#length;
    const end = at + bytes;
    if (end > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(end, this.#bytes.length * 2));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    this.#length = end;
    return at;
  }
}
