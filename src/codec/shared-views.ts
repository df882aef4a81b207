import { ClosedError, ValueError } from '../errors/index.js';
import { openRaw, rawPlaceOf } from '../heap/internal.js';
import { ShareableList, SharedMemory } from '../shared-memory/index.js';
import {
  blockBehind,
  blockOf,
  blockOfList,
  borrowBuffer,
  formatAddress,
  openShareableList,
  openSharedMemory,
  parseAddress,
} from '../shared-memory/internal.js';
import { rawHandle, viewHandle } from './encode.js';
import { registerSharedKind } from './shared-kinds.js';
import { makeView, viewName, viewNames } from './tags.js';

registerSharedKind<SharedMemory>({
  kind: 'shm',
  type: SharedMemory,
  handle: (memory) => formatAddress('shm', stillOpen(blockBehind(memory))),
  block: blockBehind,
  open: openSharedMemory,
});

registerSharedKind<ShareableList>({
  kind: 'list',
  type: ShareableList as unknown as abstract new (...args: never[]) => ShareableList,
  handle: (list) => formatAddress('list', stillOpen(blockOfList(list))),
  block: blockOfList,
  open: openShareableList as (fields: string) => ShareableList,
});

/** Views have no class of ours; this one stands for them among the kinds. */
abstract class SharedView {}

registerSharedKind<object>({
  kind: 'view',
  type: SharedView,
  handle: handleOfMemory,
  open: openView,
});

function stillOpen<T extends { name: string; hold: { open: boolean } }>(block: T): T {
  if (!block.hold.open) throw new ClosedError(`The shared memory block '${block.name}' has been closed here.`);
  return block;
}

registerSharedKind<object>({
  kind: 'raw',
  type: SharedView,
  handle: handleOfMemory,
  open: openRawView,
});

/** The handle of a typed array, DataView or ArrayBuffer over shared memory; `undefined` for other memory. */
export function handleOfView(value: object): string | undefined {
  const place = rawPlaceOf(ArrayBuffer.isView(value) ? value.buffer : (value as ArrayBuffer));
  if (place !== undefined) {
    return ArrayBuffer.isView(value)
      ? rawHandle(place, viewName(value), value.byteOffset, value.byteLength)
      : rawHandle(place, 'ArrayBuffer', 0, (value as ArrayBuffer).byteLength);
  }
  if (ArrayBuffer.isView(value)) return blockOf(value.buffer) === undefined ? undefined : handleOfMemory(value);
  return value instanceof ArrayBuffer && blockOf(value) !== undefined ? handleOfMemory(value) : undefined;
}

function handleOfMemory(value: object): string {
  if (!ArrayBuffer.isView(value)) {
    const buffer = value as ArrayBuffer;
    return viewHandle(stillOpen(blockOf(buffer)!), 'ArrayBuffer', 0, buffer.byteLength);
  }
  return viewHandle(stillOpen(blockOf(value.buffer)!), viewName(value), value.byteOffset, value.byteLength);
}

/** The class name in a view's handle, for checks before it is opened. */
export function viewNameInHandle(fields: string): string {
  return fields.slice(0, fields.indexOf(':'));
}

function openView(fields: string): object {
  return makeFrom(fields, (address) => {
    const block = parseAddress(address);
    return borrowBuffer(block.name, block.identity);
  });
}

function openRawView(fields: string): object {
  return makeFrom(fields, openRaw);
}

function makeFrom(fields: string, bufferAt: (address: string) => ArrayBuffer): object {
  const [, name, offsetText, bytesText, address] = /^(\w+):(\d{1,16}):(\d{1,16}):(.*)$/s.exec(fields) ?? [];
  if (name === undefined || address === undefined || !['ArrayBuffer', ...viewNames].includes(name)) {
    throw new ValueError(`This is not the address of a view: '${fields.slice(0, 80)}'.`);
  }
  const buffer = bufferAt(address);
  const offset = Number(offsetText);
  const bytes = Number(bytesText);
  if (offset + bytes > buffer.byteLength) throw new ValueError(`This view would lie beyond its memory: '${fields}'.`);
  if (name === 'ArrayBuffer') return buffer;
  try {
    return makeView(name, buffer, offset, bytes);
  } catch (cause) {
    throw new ValueError(`This view cannot be made: '${fields}'.`, { cause });
  }
}
