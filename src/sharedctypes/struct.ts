import { inspect } from 'node:util';
import { type Cells, describe, ItemType } from './item-type.js';
import { scalarType } from './scalar-types.js';
import type { StructType, TypeCode } from './type-codes.js';

interface Field {
  readonly name: string;
  readonly type: ItemType;
  readonly offset: number;
}

/** Structures in a buffer: for each field the cells of the whole buffer, to be read by address. */
interface StructCells {
  readonly columns: readonly Cells[];
  readonly byteOffset: number;
}

/** Where a view's structure lies. Under a symbol and not enumerable, so that a view looks and compares as a plain object. */
const BEHIND = Symbol('memory');
type View = { readonly [BEHIND]: { readonly columns: readonly Cells[]; readonly address: number } };
type Prepared = readonly (readonly [index: number, prepared: unknown])[];

export class StructLayout extends ItemType implements StructType {
  readonly fields: Readonly<Record<string, TypeCode | StructType>>;
  readonly size: number;
  readonly text: string;
  readonly alignment: number;
  readonly plain = false;
  readonly depth: number;
  /** Its fields, those of nested structures too. */
  readonly count: number;
  readonly #fields: readonly Field[];
  readonly #indexes: ReadonlyMap<string, number>;
  readonly #descriptors: PropertyDescriptorMap;

  constructor(
    fields: Readonly<Record<string, TypeCode | StructType>>,
    types: readonly ItemType[],
    text: string,
    depth: number,
    count: number,
  ) {
    super();
    let end = 0;
    let alignment = 1;
    const laidOut: Field[] = [];
    for (const [i, name] of Object.keys(fields).entries()) {
      const type = types[i]!;
      const offset = roundUp(end, type.alignment);
      laidOut.push({ name, type, offset });
      end = offset + type.bytes;
      alignment = Math.max(alignment, type.alignment);
    }
    this.fields = Object.freeze({ ...fields });
    this.size = roundUp(end, alignment);
    this.alignment = alignment;
    this.text = text;
    this.depth = depth;
    this.count = count;
    this.#fields = laidOut;
    this.#indexes = new Map(laidOut.map(({ name }, index) => [name, index]));
    // The same functions for all views, which so have one shape.
    this.#descriptors = Object.fromEntries(laidOut.map((field, index) => [field.name, accessor(field, index)]));
    Object.defineProperty(this.#descriptors, inspect.custom, { value: { value: inspectView }, enumerable: true });
    Object.freeze(this);
  }

  get bytes(): number {
    return this.size;
  }

  cells(buffer: ArrayBuffer, byteOffset: number): StructCells {
    return { columns: this.#columns(buffer), byteOffset };
  }

  column(buffer: ArrayBuffer): Cells {
    return this.#columns(buffer);
  }

  #columns(buffer: ArrayBuffer): readonly Cells[] {
    return this.#fields.map(({ type }) => type.column(buffer));
  }

  read({ columns, byteOffset }: StructCells, index: number): object {
    return this.readAt(columns, byteOffset + index * this.size);
  }

  store({ columns, byteOffset }: StructCells, index: number, prepared: Prepared): void {
    this.storeAt(columns, byteOffset + index * this.size, prepared);
  }

  /** A view of the memory: reading and writing its fields reads and writes there. */
  readAt(columns: readonly Cells[], address: number): object {
    const view = Object.defineProperty({}, BEHIND, { value: { columns, address } });
    return Object.preventExtensions(Object.defineProperties(view, this.#descriptors));
  }

  storeAt(columns: readonly Cells[], address: number, prepared: Prepared): void {
    for (const [index, value] of prepared) {
      const { type, offset } = this.#fields[index]!;
      type.storeAt(columns[index], address + offset, value);
    }
  }

  prepare(value: unknown, what = 'A structure'): Prepared {
    if (typeof value !== 'object' || value === null || Array.isArray(value) || ArrayBuffer.isView(value)) {
      throw new TypeError(`${what} is written as an object of its fields; got ${describe(value)}.`);
    }
    return Object.keys(value).map((name) => {
      const index = this.#indexes.get(name);
      if (index === undefined) {
        throw new TypeError(`${what} has no field '${name}'. Its fields: ${[...this.#indexes.keys()].join(', ')}.`);
      }
      const item = (value as Record<string, unknown>)[name];
      return [index, this.#fields[index]!.type.prepare(item, `The field '${name}'`)] as const;
    });
  }

  [inspect.custom](_depth: number, options: object, show: typeof inspect): string {
    return `Struct(${show(this.fields, options)})`;
  }
}

function accessor({ type, offset }: Field, index: number): PropertyDescriptor {
  return {
    enumerable: true,
    get(this: View) {
      const { columns, address } = this[BEHIND];
      return type.readAt(columns[index], address + offset);
    },
    set(this: View, value: unknown) {
      const { columns, address } = this[BEHIND];
      type.storeAt(columns[index], address + offset, type.prepare(value, 'The field'));
    },
  };
}

function inspectView(this: object, _depth: number, options: object, show: typeof inspect): string {
  return show({ ...this }, options);
}

function roundUp(offset: number, alignment: number): number {
  return Math.ceil(offset / alignment) * alignment;
}

const MAX_DEPTH = 32;
// A structure's text stands in every handle.
const MAX_FIELDS = 1024;

/** One layout for each text, so that what is opened again is of the same type. */
const known = new Map<string, StructLayout>();

/**
 * A structure with C's layout: each field stands at a multiple of its alignment, and the whole is padded to that of its
 * most aligned field. So it is what `ctypes.Structure`, numpy's aligned records and C know under the same field types.
 *
 * @param fields the names of the fields and their types, in order: type codes, and structures. (JavaScript puts names that
 * are integers first.)
 * @throws TypeError for no fields, or a field of an unknown type; RangeError for more than 1024 fields, or nested more than
 * 32 deep.
 *
 * @example
 * ```ts
 * import { Struct, Value } from 'multiprocess';
 *
 * const Point = Struct({ x: 'd', y: 'd', id: 'i' });
 * const point = Value(Point, { x: 1 });
 * point.value.y = 2.5; // writes into the shared memory
 * point.value = { id: 7 }; // only the fields named here
 * console.log(Point.size, point.value); // 24 { x: 1, y: 2.5, id: 7 }
 * ```
 */
export function Struct<const F extends Record<string, TypeCode | StructType>>(fields: F): StructType<F> {
  if (typeof fields !== 'object' || fields === null) throw new TypeError('Struct takes an object of fields.');
  const entries = Object.entries(fields);
  if (entries.length === 0) throw new TypeError('A structure has at least one field.');
  const types = entries.map(([name, type]) => {
    const found = type instanceof StructLayout ? type : scalarType(type);
    if (found === undefined) throw new TypeError(`The field '${name}' has no type of this library: ${describe(type)}.`);
    return found;
  });
  const depth = 1 + Math.max(...types.map((type) => (type instanceof StructLayout ? type.depth : 0)));
  if (depth > MAX_DEPTH) throw new RangeError(`Structures are nested at most ${MAX_DEPTH} deep.`);
  const count = types.reduce((sum, type) => sum + (type instanceof StructLayout ? type.count : 1), 0);
  if (count > MAX_FIELDS) throw new RangeError(`A structure has at most ${MAX_FIELDS} fields, nested ones counted.`);
  const shape = JSON.stringify(shapeOf(entries, types));
  const text = Buffer.from(shape).toString('base64url');
  let layout = known.get(text);
  if (layout === undefined) {
    layout = new StructLayout(fields, types, text, depth, count);
    known.set(text, layout);
  }
  return layout as StructType as StructType<F>;
}

// Pairs, not an object: a field may be called `__proto__`, and the order must stay.
type Shape = readonly (readonly [name: string, type: string | Shape])[];

function shapeOf(entries: readonly (readonly [string, unknown])[], types: readonly ItemType[]): Shape {
  return entries.map(([name], i) => {
    const type = types[i]!;
    return [
      name,
      type instanceof StructLayout ? JSON.parse(Buffer.from(type.text, 'base64url').toString()) : type.text,
    ];
  });
}

/** The structure that such a text means, from a handle; `undefined` for text that is none. */
export function structFromText(text: string): StructLayout | undefined {
  const layout = known.get(text);
  if (layout !== undefined) return layout;
  try {
    const shape: unknown = JSON.parse(Buffer.from(text, 'base64url').toString());
    const found = structOf(shape, 0);
    return found.text === text ? found : undefined;
  } catch {
    return undefined;
  }
}

function structOf(shape: unknown, depth: number): StructLayout {
  if (depth >= MAX_DEPTH) throw new RangeError('too deep');
  const fields: Record<string, TypeCode | StructType> = Object.create(null);
  for (const [name, type] of shape as Shape) {
    if (typeof name !== 'string' || name in fields) throw new TypeError('no field');
    fields[name] = typeof type === 'string' ? (type as TypeCode) : structOf(type, depth + 1);
  }
  return Struct(fields) as StructType as StructLayout;
}
