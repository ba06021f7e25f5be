import { signal } from '@preact/signals';
import { isRecord, keep, kept } from './kept';

/** A statement that was run, and how it ended. */
export interface Entry {
  statement: string;
  /** When it was begun, in milliseconds since the epoch. */
  at: number;
  milliseconds: number;
  rows: number;
  outcome: 'answered' | 'failed' | 'cancelled';
}

const KEY = 'skillscope.sql.history';
const MOST = 100;
const OUTCOMES: readonly unknown[] = ['answered', 'failed', 'cancelled'];

function isEntry(value: unknown): value is Entry {
  return (
    isRecord(value) &&
    typeof value['statement'] === 'string' &&
    [value['at'], value['milliseconds'], value['rows']].every((number) => typeof number === 'number') &&
    OUTCOMES.includes(value['outcome'])
  );
}

function isHistory(value: unknown): value is Entry[] {
  return Array.isArray(value) && value.every(isEntry);
}

/** The last statements that were run in this browser, the latest first. */
export const history = signal<readonly Entry[]>(kept(KEY, isHistory) ?? []);

/** Remembers a statement; of one that was run before, the last time alone. */
export function remember(entry: Entry): void {
  write([entry, ...history.peek().filter((before) => before.statement !== entry.statement)].slice(0, MOST));
}

export function forgetAll(): void {
  write([]);
}

function write(entries: readonly Entry[]): void {
  history.value = entries;
  keep(KEY, entries);
}
