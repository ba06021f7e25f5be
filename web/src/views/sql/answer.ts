// A statement's way to the server and back: its rows as they come, until there are enough of them or somebody stops it.
import { ask, askSql, Problem, problemFrom, type Ask } from '../../app/api';
import { columnsOf, guessColumns, type Column, type Described } from './columns';
import { parsePlan, type Plan } from './plan';
import { isQuery } from './statement';
import { parseLine, type Row, type Value } from './value';

/** No table and no chart here is for more rows than this; whoever wants them all downloads them. */
export const MOST_ROWS = 100_000;

/** What has come of a running statement so far. */
export interface Gathered {
  names: string[];
  rows: Value[][];
  /** Whether there were more rows than are shown. */
  isCut: boolean;
}

export interface Answer {
  columns: Column[];
  rows: Row[];
  isCut: boolean;
  /** Whether it was stopped before all had come. */
  isStopped: boolean;
  milliseconds: number;
  /** The plans, where the answer is that of an `explain`. */
  plans: Plan[];
}

export type Format = 'ndjson' | 'csv' | 'parquet';

/** The request that runs a statement. */
export function requestOf(query: string, account: string, format: Format): Ask {
  return { path: '/v1/sql', method: 'POST', body: { query, format, ...(account === '' ? {} : { account }) } };
}

/** Reads an answer's lines into `into`, so that what came is there also when it ends early. */
export async function gather(response: Response, into: Gathered): Promise<void> {
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  if (reader === undefined) return;
  let rest = '';
  try {
    for (;;) {
      const { value, done } = await reader.read();
      const lines = (rest + (value ?? '')).split('\n');
      rest = done ? '' : (lines.pop() ?? '');
      for (const line of lines) if (line !== '' && !take(line, into)) return void reader.cancel().catch(() => undefined);
      if (done) return;
    }
  } catch (error) {
    throw failureIn(rest, into, error);
  }
}

/** Takes a line, unless there are enough. */
function take(line: string, into: Gathered): boolean {
  if (into.rows.length >= MOST_ROWS) {
    into.isCut = true;
    return false;
  }
  const object = parseLine(line);
  if (into.names.length === 0) into.names = Object.keys(object);
  into.rows.push(into.names.map((name) => object[name] ?? null));
  return true;
}

const PROBLEM = '{"type":"urn:skillscope:problem:';

/** A statement that fails late has a problem document as its last line, before the connection is broken off. */
function failureIn(rest: string, into: Gathered, error: unknown): unknown {
  if (rest.startsWith(PROBLEM)) return problemFrom(rest);
  const last = into.rows[into.rows.length - 1];
  const [type, title, status, detail] = ['type', 'title', 'status', 'detail'].map((name) => last?.[into.names.indexOf(name)]);
  if (typeof type !== 'string' || !type.startsWith('urn:skillscope:problem:')) return error;
  return new Problem({ type, title: String(title), status: Number(status), detail: String(detail) });
}

/** Runs a statement. What has come when `signal` stops it is in `into`. */
export async function run(query: string, account: string, into: Gathered, signal: AbortSignal): Promise<Column[]> {
  // The lines have no types, and where there are none, no names: the server tells both by the plan alone.
  const described = isQuery(query) ? describe(query, account, signal) : Promise.resolve(null);
  const response = await ask(requestOf(query, account, 'ndjson'), signal);
  await gather(response, into);
  return settle(await described, into);
}

async function describe(query: string, account: string, signal: AbortSignal): Promise<Column[] | null> {
  try {
    return columnsOf(await askSql<Described>(`describe ${query}`, [], account === '' ? undefined : account, signal));
  } catch {
    return null;
  }
}

/** The described columns, if they are those of the rows, and otherwise what the rows tell. */
export function settle(described: Column[] | null, { names, rows }: Gathered): Column[] {
  if (described === null || (rows.length > 0 && described.some((column, index) => column.name !== names[index]))) return guessColumns(names, rows);
  return described;
}

/** The plans in the rows of an `explain`: those steps that are computed, and not the logical plan before them. */
export function plansIn(columns: readonly Column[], rows: readonly Row[]): Plan[] {
  if (columns[0]?.name !== 'plan_type' || columns[1]?.name !== 'plan') return [];
  return rows
    .filter(([type]) => /Plan with Metrics|physical_plan/.test(String(type)))
    .map(([type, text]) => parsePlan(String(type), String(text)));
}
