// What the server tells of itself: in SQL what there is by account, and where the token is for all of it, its metrics.
import { ask, askSql, type Problem, problemOf } from '../../app/api';
import { may, me } from '../../app/session';
import { Scrape } from './prometheus';

export interface AccountRow {
  account_id: string;
  data_until: string | null;
  last_arrival: string | null;
  hot_rows: number;
  archived_rows: number;
  open_conversations: number;
  gaps_given_up: number;
  dead_letters: number;
  rejected: number;
  /** The server's clock, which may be fixed at a day of the past. */
  now: string;
}

export interface HoursRow {
  account_id: string;
  hours: number;
  rows: number;
  unsealed_rows: number;
  bytes: number;
  first_hour: string;
  last_hour: string;
}

/** Files of an account; a session of one account is not told how much is in them. */
export interface FilesRow {
  account_id: string;
  files: number;
  rows: number | null;
  bytes: number | null;
  first_hour: string | null;
  last_hour: string | null;
  written: string | null;
}

export interface StatementRow {
  id: number;
  account_id: string | null;
  door: string;
  state: string;
  started: string;
  elapsed_ms: number;
  rows_read: number;
  rows_returned: number;
  query: string;
}

/** What was told last, and why nothing was told this time. */
export interface Told<T> {
  value: T | null;
  problem: Problem | null;
}

export interface Snapshot {
  /** When it was taken, in milliseconds by the clock that never turns back. */
  at: number;
  accounts: Told<AccountRow[]>;
  hours: Told<HoursRow[]>;
  files: Told<FilesRow[]>;
  statements: Told<StatementRow[]>;
  /** Null where the token does not open them. */
  metrics: Told<Scrape> | null;
}

const ACCOUNTS = `select account_id, data_until, last_arrival, hot_rows, archived_rows, open_conversations, gaps_given_up, dead_letters, rejected, now() as now
from system.accounts order by account_id`;
const HOURS = `select account_id, count(*) as hours, sum(rows) as rows, sum(unsealed_rows) as unsealed_rows, sum(bytes) as bytes, min(hour) as first_hour, max(hour) as last_hour
from system.partitions group by account_id order by account_id`;
const FILES = `select account_id, count(*) as files, sum(rows) as rows, sum(bytes) as bytes, min(first_hour) as first_hour, max(last_hour) as last_hour, max(written) as written
from system.files group by account_id order by account_id`;
const STATEMENTS = 'select id, account_id, door, state, started, elapsed_ms, rows_read, rows_returned, query from system.queries order by started';
const OWN: ReadonlySet<string> = new Set([ACCOUNTS, HOURS, FILES, STATEMENTS]);

/** Whether the metrics, which are of all accounts, are told to whoever is signed in. */
export function maySeeMetrics(): boolean {
  return may('admin') && me.value?.account === '*';
}

/** Asks for all of it. What is not told this time stays as it was `before`. */
export async function takeSnapshot(before: Snapshot | null, signal: AbortSignal): Promise<Snapshot> {
  // Before the statements: those that run are counted there, and this page's own are none that anybody asks about.
  const metrics = maySeeMetrics() ? await told(scrape(signal), before?.metrics) : null;
  const [accounts, hours, files, statements] = await Promise.all([
    told(askSql<AccountRow>(ACCOUNTS, [], undefined, signal), before?.accounts),
    told(askSql<HoursRow>(HOURS, [], undefined, signal), before?.hours),
    told(askSql<FilesRow>(FILES, [], undefined, signal), before?.files),
    // What this page asks all the time is nothing that anybody would want to see or to end.
    told(askSql<StatementRow>(STATEMENTS, [], undefined, signal).then((rows) => rows.filter((row) => !OWN.has(row.query))), before?.statements),
  ]);
  return { at: performance.now(), accounts, hours, files, statements, metrics };
}

async function scrape(signal: AbortSignal): Promise<Scrape> {
  const response = await ask({ path: '/metrics', accept: 'text/plain' }, signal);
  return new Scrape(await response.text());
}

async function told<T>(answer: Promise<T>, before: Told<T> | null | undefined): Promise<Told<T>> {
  try {
    return { value: await answer, problem: null };
  } catch (error) {
    return { value: before?.value ?? null, problem: problemOf(error) };
  }
}

/** Ends a statement. Gives whether there was one to end. */
export async function endStatement(id: number): Promise<boolean> {
  const rows = await askSql<{ ended: boolean }>('select kill_query($1) as ended', [id]);
  return rows[0]?.ended ?? false;
}

/** The most hours or files of an account that are listed. */
export const MOST_LISTED = 5000;

const LISTS = {
  hours: `select hour, first_end_time, last_end_time, lowest_skill_id, highest_skill_id, rows, unsealed_rows, bytes, runs
from system.partitions where account_id = $1 order by hour desc limit ${MOST_LISTED}`,
  files: `select path, state, first_hour, last_hour, rows, bytes, in_memory, written
from system.files where account_id = $1 order by last_hour desc limit ${MOST_LISTED}`,
};

export type List = keyof typeof LISTS;

/** Hours in memory, or files, of an account, the latest first. */
export function askList(list: List, account: string): Promise<Record<string, unknown>[]> {
  return askSql<Record<string, unknown>>(LISTS[list], [account]);
}
