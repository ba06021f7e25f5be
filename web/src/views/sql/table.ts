// The columns of an answer as those of a table on the page.
import type { Cell, Column as TableColumn } from '../../parts/DataTable';
import { type Column, isName } from './columns';
import { plainText, type Row } from './value';

const SIGN = 9;
const PADDING = 36;
const NARROWEST = 64;
const WIDEST = 380;

/** Columns wide enough for what the first rows have. */
export function tableColumns(columns: readonly Column[], rows: readonly Row[]): TableColumn<Row>[] {
  return columns.map((column, index) => {
    const value = (row: Row): Cell => cellOf(row, index);
    return {
      key: String(index),
      title: column.name,
      kind: column.kind === 'number' ? 'number' : column.isInstant ? 'time' : 'text',
      value,
      width: column.isInstant ? 240 : widthOf(column, rows, index),
      ...(column.type === null ? {} : { hint: column.type }),
      // 10,042 would be an amount: a number that names something is written as it is.
      ...(column.kind === 'number' && isName(column) ? { render: (row: Row) => plainText(row[index] ?? null) || '–' } : {}),
    };
  });
}

function cellOf(row: Row, index: number): Cell {
  const value = row[index] ?? null;
  return typeof value === 'object' || typeof value === 'bigint' ? (value === null ? null : plainText(value)) : value;
}

function widthOf(column: Column, rows: readonly Row[], index: number): number {
  const longest = rows.slice(0, 50).reduce((length, row) => Math.max(length, plainText(row[index] ?? null).length), column.name.length);
  return Math.round(Math.min(WIDEST, Math.max(NARROWEST, longest * SIGN + PADDING)));
}
