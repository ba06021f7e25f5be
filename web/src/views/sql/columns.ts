import type { Row, Value } from './value';

export type Kind = 'number' | 'time' | 'text' | 'boolean' | 'other';

export interface Column {
  name: string;
  kind: Kind;
  /** The type in PostgreSQL's words, or null where only the values tell what it is. */
  type: string | null;
  /** Whether it is instants, which are shown in the viewer's zone; other times stay as they are. */
  isInstant: boolean;
}

/** A row of `describe`: a column's name, and its type in Arrow's words. */
export interface Described {
  column_name: string;
  data_type: string;
}

const INSTANT = 'timestamp with time zone';

/** Columns of an answer, by the types that the server told; a name that comes twice is told apart as JSON does. */
export function columnsOf(described: readonly Described[]): Column[] {
  const taken = new Set<string>();
  const names = new Set(described.map((column) => column.column_name));
  return described.map(({ column_name, data_type }) => {
    const name = freeName(column_name, taken, names);
    taken.add(name);
    const [type, kind] = typeOf(data_type);
    return { name, kind, type, isInstant: type === INSTANT };
  });
}

function freeName(name: string, taken: ReadonlySet<string>, names: ReadonlySet<string>): string {
  if (!taken.has(name)) return name;
  let number = 2;
  while (taken.has(`${name}_${number}`) || names.has(`${name}_${number}`)) number += 1;
  return `${name}_${number}`;
}

const WHOLE = new Map([
  ['Int8', 'smallint'], ['Int16', 'smallint'], ['Int32', 'integer'], ['Int64', 'bigint'],
  ['UInt8', 'smallint'], ['UInt16', 'integer'], ['UInt32', 'bigint'], ['UInt64', 'numeric'],
  ['Float16', 'real'], ['Float32', 'real'], ['Float64', 'double precision'],
]);

function typeOf(arrow: string): [string, Kind] {
  const number = WHOLE.get(arrow);
  if (number !== undefined) return [number, 'number'];
  const decimal = /^Decimal\d+\((\d+), (-?\d+)\)$/.exec(arrow);
  if (decimal !== null) return [`numeric(${decimal[1]}, ${decimal[2]})`, 'number'];
  const dictionary = /^Dictionary\(\w+, (.*)\)$/.exec(arrow);
  if (dictionary?.[1] !== undefined) return typeOf(dictionary[1]);
  if (/^(Large)?Utf8(View)?$/.test(arrow)) return ['text', 'text'];
  if (arrow === 'Boolean') return ['boolean', 'boolean'];
  if (arrow.startsWith('Timestamp(')) return arrow.includes(',') ? [INSTANT, 'time'] : ['timestamp', 'time'];
  if (arrow.startsWith('Date')) return ['date', 'time'];
  if (arrow.startsWith('Time')) return ['time', 'text'];
  if (arrow.startsWith('Interval') || arrow.startsWith('Duration')) return ['interval', 'text'];
  if (arrow.includes('Binary')) return ['bytea', 'text'];
  return [arrow, 'other'];
}

/** Columns as the values tell them, for statements that cannot be described, such as `summarize`. */
export function guessColumns(names: readonly string[], rows: readonly Row[]): Column[] {
  return names.map((name, index) => {
    const value = rows.slice(0, 1000).map((row) => row[index] ?? null).find((one) => one !== null) ?? null;
    const kind = value === null ? 'text' : kindOf(value);
    return { name, kind, type: null, isInstant: kind === 'time' && String(value).endsWith('Z') };
  });
}

const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d:\d\d(\.\d+)?Z?)?$/;

function kindOf(value: Value): Kind {
  if (typeof value === 'number' || typeof value === 'bigint') return 'number';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'string') return TIME.test(value) ? 'time' : 'text';
  return 'other';
}

/** Numbers that name something, and are no amount: they have no separators of thousands, and are no line of a chart. */
export function isName(column: Column): boolean {
  return /(^|_)(id|index)(_\d+)?$/i.test(column.name);
}
