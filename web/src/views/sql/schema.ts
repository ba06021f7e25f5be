// What there is to ask: tables with their columns, and functions, as the server tells them.
import type { Completion, CompletionContext, CompletionResult, CompletionSource } from '@codemirror/autocomplete';
import type { SQLNamespace } from '@codemirror/lang-sql';
import { askSql } from '../../app/api';
import { strings } from '../../app/strings';

export interface TableColumn {
  name: string;
  type: string;
  comment: string | null;
}

export interface Table {
  schema: string;
  name: string;
  comment: string | null;
  columns: TableColumn[];
}

export interface Schema {
  tables: readonly Table[];
  functions: readonly { name: string; syntax: string | null }[];
}

interface ColumnRow {
  table_schema: string;
  table_name: string;
  column_name: string;
  data_type: string;
  column_comment: string | null;
}

const TABLES = "select table_schema, table_name, table_comment from information_schema.tables where table_schema <> 'information_schema'";
const COLUMNS = `select table_schema, table_name, column_name, data_type, column_comment from information_schema.columns
where table_schema <> 'information_schema' or table_name in ('tables', 'columns', 'views', 'routines') order by table_schema, table_name, ordinal_position`;
const FUNCTIONS = 'select routine_name as name, min(syntax_example) as syntax from information_schema.routines group by routine_name order by routine_name';

// Functions that stand where a table does are in no table of functions.
const TABLE_FUNCTIONS = [
  { name: 'skill_report', syntax: 'skill_report(account, now, timeframe [, interval [, skill_ids [, user_type [, as_known]]]])' },
  { name: 'report_segments', syntax: 'report_segments(account, now, timeframe [, interval [, interval_start [, skill_id [, metric [, user_type]]]]])' },
  { name: 'generate_series', syntax: 'generate_series(first, last, step)' },
];

/** Asks the server what there is, as the account sees it. */
export async function askSchema(account: string | undefined, signal: AbortSignal): Promise<Schema> {
  const [tables, columns, functions] = await Promise.all([
    askSql<{ table_schema: string; table_name: string; table_comment: string | null }>(TABLES, [], account, signal),
    askSql<ColumnRow>(COLUMNS, [], account, signal),
    askSql<{ name: string; syntax: string | null }>(FUNCTIONS, [], account, signal),
  ]);
  const comments = new Map(tables.map((table) => [`${table.table_schema}.${table.table_name}`, table.table_comment]));
  const known = new Map<string, Table>();
  for (const row of columns) {
    const key = `${row.table_schema}.${row.table_name}`;
    const table = known.get(key) ?? { schema: row.table_schema, name: row.table_name, comment: comments.get(key) ?? null, columns: [] };
    table.columns.push({ name: row.column_name, type: row.data_type, comment: row.column_comment });
    known.set(key, table);
  }
  const order = ['public', 'system', 'information_schema'];
  const sorted = [...known.values()].sort((a, b) => order.indexOf(a.schema) - order.indexOf(b.schema) || a.name.localeCompare(b.name));
  const own = new Set(TABLE_FUNCTIONS.map((one) => one.name));
  return { tables: sorted, functions: [...TABLE_FUNCTIONS, ...functions.filter((one) => !own.has(one.name))] };
}

/** A table's name as a statement writes it. */
export function nameInStatement(table: Table): string {
  return table.schema === 'public' ? quoted(table.name) : `${quoted(table.schema)}.${quoted(table.name)}`;
}

export function quoted(name: string): string {
  return /^[a-z_][a-z0-9_]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}

/** The tables for completion after a name and a point. */
export function namespaceOf(schema: Schema): SQLNamespace {
  const namespace: Record<string, SQLNamespace> = {};
  for (const table of schema.tables) {
    const self: Completion = { label: table.name, type: 'type', ...withInfo(table.comment) };
    const columns = { self, children: table.columns.map(columnCompletion) };
    namespace[`${table.schema}.${escaped(table.name)}`] = columns;
    if (table.schema === 'public') namespace[escaped(table.name)] = columns;
  }
  return namespace;
}

// A point in a key of the namespace is one between two names.
function escaped(name: string): string {
  return name.replaceAll('.', '\\.');
}

/** Functions, and the columns of those tables that the statement names, wherever a name may stand. */
export function completionsOf(schema: Schema): CompletionSource {
  const functions = schema.functions.map(functionCompletion);
  return (context: CompletionContext): CompletionResult | null => {
    const word = context.matchBefore(/\w*/);
    if (word === null || (word.from === word.to && !context.explicit)) return null;
    const before = context.state.sliceDoc(Math.max(0, word.from - 1), word.from);
    if (before === '.' || before === "'" || before === '"') return null;
    return { from: word.from, options: [...namedColumns(schema, context.state.doc.toString()), ...functions], validFor: /^\w*$/ };
  };
}

function namedColumns(schema: Schema, statement: string): Completion[] {
  const words = new Set(statement.toLowerCase().match(/\w+/g) ?? []);
  const columns = new Map<string, Completion>();
  for (const table of schema.tables) {
    if (!words.has(table.name.toLowerCase())) continue;
    for (const column of table.columns) if (!columns.has(column.name)) columns.set(column.name, { ...columnCompletion(column), boost: 2 });
  }
  return [...columns.values()];
}

function columnCompletion(column: TableColumn): Completion {
  return { label: column.name, apply: quoted(column.name), type: 'property', detail: column.type, ...withInfo(column.comment) };
}

function functionCompletion({ name, syntax }: { name: string; syntax: string | null }): Completion {
  return { label: name, type: 'function', detail: strings.sql.aFunction, ...withInfo(syntax) };
}

function withInfo(info: string | null): { info?: string } {
  return info === null ? {} : { info };
}
