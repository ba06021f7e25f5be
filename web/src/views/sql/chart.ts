import { type Column, isName } from './columns';
import { compareValues, isNumeric, plainText, type Row } from './value';

export type Shape = 'line' | 'bar';

/** What of an answer is drawn: the column along, the columns up, and the column whose values are a series each. */
export interface Choice {
  shape: Shape;
  x: number;
  ys: readonly number[];
  split: number | null;
}

export interface Series {
  name: string;
  values: (number | null)[];
}

/** What is drawn. Where `isTime`, `xs` are seconds since the epoch, and otherwise positions of `labels`, or numbers themselves. */
export interface Drawing {
  xs: number[];
  labels: readonly string[] | null;
  isTime: boolean;
  series: Series[];
  /** Series and positions beyond what can be told apart. */
  leftOutSeries: number;
  leftOutLabels: number;
}

export const MOST_SERIES = 8;
const MOST_LABELS = 1000;

/** What to draw at first: times or texts along, and the amounts up, a series for each value of a column that tells them apart. */
export function firstChoice(columns: readonly Column[], rows: readonly Row[]): Choice | null {
  const indexes = columns.map((_, index) => index);
  const amounts = indexes.filter((index) => columns[index]?.kind === 'number');
  const x = firstOf(indexes, (index) => columns[index]?.kind === 'time') ?? firstOf(indexes, (index) => columns[index]?.kind === 'text') ?? indexes[0];
  if (x === undefined) return null;
  const rest = amounts.filter((index) => index !== x);
  const isNamed = (index: number): boolean => columns[index] !== undefined && isName(columns[index]);
  const ys = rest.filter((index) => !isNamed(index));
  const up = ys.length > 0 ? ys : rest;
  if (up.length === 0) return null;
  const split = repeats(x, rows)
    ? (firstOf(indexes, (index) => index !== x && (columns[index]?.kind === 'text' || columns[index]?.kind === 'boolean' || (isNamed(index) && !up.includes(index)))) ?? null)
    : null;
  const shape = columns[x]?.kind === 'time' ? 'line' : 'bar';
  return { shape, x, ys: split === null ? up.slice(0, MOST_SERIES) : up.slice(0, 1), split };
}

function firstOf(indexes: readonly number[], isIt: (index: number) => boolean): number | undefined {
  return indexes.find(isIt);
}

function repeats(x: number, rows: readonly Row[]): boolean {
  const seen = new Set<string>();
  for (const row of rows) {
    const value = plainText(row[x] ?? null);
    if (seen.has(value)) return true;
    seen.add(value);
  }
  return false;
}

/** The numbers to draw. Rows that share a position add up. */
export function drawingOf(choice: Choice, columns: readonly Column[], rows: readonly Row[]): Drawing {
  const kind = columns[choice.x]?.kind;
  const isTime = kind === 'time';
  const isNumber = kind === 'number' && !isNameAt(columns, choice.x);
  const positions = new Map<string, number>();
  const sums = new Map<string, Map<number, number>>();
  let leftOutLabels = 0;
  for (const row of rows) {
    const value = row[choice.x] ?? null;
    const text = plainText(value);
    let x: number | undefined;
    if (isTime) x = Date.parse(zoned(text)) / 1000;
    else if (isNumber) x = isNumeric(value) ? Number(value) : Number.NaN;
    else {
      x = positions.get(text);
      if (x === undefined && positions.size < MOST_LABELS) positions.set(text, (x = positions.size));
      if (x === undefined) leftOutLabels += 1;
    }
    if (x === undefined || !Number.isFinite(x)) continue;
    for (const y of choice.ys) add(sums, seriesName(choice, columns, row, y), x, row[y] ?? null);
  }
  return { ...drawn(sums, positions, isTime || isNumber, choice.split !== null), isTime, leftOutLabels };
}

function isNameAt(columns: readonly Column[], index: number): boolean {
  const column = columns[index];
  return column !== undefined && isName(column);
}

/** A time without a zone is drawn as if it were in UTC: a browser would read it by its own clocks. */
function zoned(text: string): string {
  return text.includes('T') && !/(Z|[+-]\d\d:?\d\d)$/.test(text) ? `${text}Z` : text;
}

function seriesName(choice: Choice, columns: readonly Column[], row: Row, y: number): string {
  const name = columns[y]?.name ?? '';
  if (choice.split === null) return name;
  const part = plainText(row[choice.split] ?? null) || '—';
  return choice.ys.length === 1 ? part : `${part}, ${name}`;
}

function add(sums: Map<string, Map<number, number>>, name: string, x: number, value: Row[number]): void {
  let series = sums.get(name);
  if (series === undefined) sums.set(name, (series = new Map()));
  if (isNumeric(value)) series.set(x, (series.get(x) ?? 0) + Number(value));
}

function drawn(sums: ReadonlyMap<string, ReadonlyMap<number, number>>, positions: ReadonlyMap<string, number>, isNumber: boolean, isSplit: boolean): Omit<Drawing, 'isTime' | 'leftOutLabels'> {
  const order = [...sums].map(([name, values]) => ({ name, values, size: [...values.values()].reduce((sum, value) => sum + Math.abs(value), 0) }));
  const chosen = new Set([...order].sort((a, b) => b.size - a.size).slice(0, MOST_SERIES).map((series) => series.name));
  const all = new Set<number>();
  const named = order.filter((series) => chosen.has(series.name));
  if (isSplit) named.sort((a, b) => compareNames(a.name, b.name));
  for (const series of named) for (const x of series.values.keys()) all.add(x);
  const xs = isNumber ? [...all].sort((a, b) => a - b) : [...positions.values()];
  return {
    xs,
    labels: isNumber ? null : [...positions.keys()],
    series: named.map(({ name, values }) => ({ name, values: xs.map((x) => values.get(x) ?? null) })),
    leftOutSeries: order.length - named.length,
  };
}

/** Series by number where their names are numbers: 2 before 10. */
function compareNames(a: string, b: string): number {
  const [left, right] = [Number(a), Number(b)];
  return Number.isNaN(left) || Number.isNaN(right) ? compareValues(a, b) : left - right;
}
