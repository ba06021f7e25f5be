/** A value of an answer, as JSON tells it; whole numbers beyond 2^53 are `bigint`, so that no digit is lost. */
export type Value = string | number | boolean | bigint | null | Value[] | { [name: string]: Value };

export type Row = readonly Value[];

/** A text of a value without any locale's signs: what is copied, filtered by and written into cells of text. */
export function plainText(value: Value): string {
  if (value === null) return '';
  if (typeof value === 'object') return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? String(inner) : inner));
  return String(value);
}

/** Nulls come last, numbers by size, and everything else by its text; RFC 3339 in UTC sorts as text. */
export function compareValues(a: Value, b: Value): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (isNumeric(a) && isNumeric(b)) return a < b ? -1 : a > b ? 1 : 0;
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  const [left, right] = [plainText(a), plainText(b)];
  return left < right ? -1 : left > right ? 1 : 0;
}

export function isNumeric(value: Value): value is number | bigint {
  return typeof value === 'number' || typeof value === 'bigint';
}

// The third argument of a reviver, with the digits as they were sent, is newer than TypeScript's declaration of it.
type Reviver = (key: string, value: unknown, context?: { source?: string }) => unknown;
const keepDigits: Reviver = (_, value, context) =>
  typeof value === 'number' && !Number.isSafeInteger(value) && context?.source !== undefined && /^-?\d+$/.test(context.source)
    ? BigInt(context.source)
    : value;
const MANY_DIGITS = /\d{16}/;

/** A line of the answer. The reviver is slow, and few lines have a number that needs it. */
export function parseLine(line: string): { [name: string]: Value } {
  const parsed: unknown = MANY_DIGITS.test(line) ? JSON.parse(line, keepDigits as (key: string, value: unknown) => unknown) : JSON.parse(line);
  return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as { [name: string]: Value }) : {};
}
