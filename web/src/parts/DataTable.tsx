// A table of as many rows as there are: only those in sight are in the page.
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useMemo, useReducer, useRef, useState } from 'preact/hooks';
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from '@tanstack/virtual-core';
import { count, dateTime, duration, utc } from '../app/format';
import { strings } from '../app/strings';
import './DataTable.css';

export type Cell = string | number | boolean | null | undefined;
export type Kind = 'number' | 'text' | 'time' | 'duration';

export interface Column<Row> {
  key: string;
  title: string;
  /** Times are milliseconds since the epoch or RFC 3339, durations milliseconds. It decides how cells are written, sorted and set. */
  kind: Kind;
  /** Draws the cell. What is sorted, filtered and copied is the value. */
  render?: (row: Row) => ComponentChildren;
  /** The cell's value; without it, what the row has under the key. */
  value?: (row: Row) => Cell;
  /** What the header means, for a title. */
  hint?: string;
  /** Width in pixels; without it, one that suits the kind. */
  width?: number;
  /** A column that is only a picture does not sort. */
  fixed?: boolean;
}

export interface Sort {
  key: string;
  descending: boolean;
}

export interface DataTableProps<Row> {
  columns: Column<Row>[];
  rows: Row[];
  sort: Sort | null;
  onSort: (sort: Sort | null) => void;
  /** Only rows of which a cell has this text, in any case of letters. */
  filter?: string;
  /** What the table is of, for those who do not see it. */
  caption: string;
  /** Called with Enter, or with a click, on a cell. */
  onCell?: (row: Row, column: Column<Row>) => void;
  /** Whether Enter on a cell of this column does something; without it, on all. */
  opens?: (column: Column<Row>) => boolean;
  /** What is shown in place of rows where there are none. */
  empty?: ComponentChildren;
  /** The height of a row in pixels. */
  rowHeight?: number;
}

/** The value that a column has in a row. */
export function cellOf<Row>(row: Row, column: Column<Row>): Cell {
  if (column.value !== undefined) return column.value(row);
  const value = (row as Record<string, unknown>)[column.key];
  if (value === null || value === undefined) return null;
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : JSON.stringify(value);
}

/** Rows as tab-separated values, the first line being the titles where they are asked for. */
export function asTsv<Row>(rows: Row[], columns: Column<Row>[], titles: boolean): string {
  const clean = (cell: Cell): string => (cell === null || cell === undefined ? '' : String(cell).replace(/[\t\r\n]+/g, ' '));
  const lines = rows.map((row) => columns.map((column) => clean(cellOf(row, column))).join('\t'));
  if (titles) lines.unshift(columns.map((column) => clean(column.title)).join('\t'));
  return lines.join('\n');
}

/** The rows that the filter leaves, in order. */
export function arranged<Row>(rows: Row[], columns: Column<Row>[], sort: Sort | null, filter: string | undefined): Row[] {
  const wanted = filter?.trim().toLowerCase() ?? '';
  const left = wanted === '' ? rows : rows.filter((row) => columns.some((column) => has(row, column, wanted)));
  const by = sort === null ? undefined : columns.find((column) => column.key === sort.key);
  if (by === undefined || sort === null) return left;
  const direction = sort.descending ? -1 : 1;
  // Each value is taken once: a hundred thousand rows are compared two million times.
  const keyed = left.map((row) => ({ row, key: sortKey(cellOf(row, by), by.kind) }));
  const compareWords = keyed.length > MOST_IN_WORDS ? asLetters : words.compare;
  keyed.sort((a, b) => compare(a.key, b.key, direction, compareWords));
  return keyed.map(({ row }) => row);
}

function has<Row>(row: Row, column: Column<Row>, wanted: string): boolean {
  const cell = cellOf(row, column);
  return cell !== null && cell !== undefined && String(cell).toLowerCase().includes(wanted);
}

function sortKey(cell: Cell, kind: Kind): string | number | null {
  if (cell === null || cell === undefined || cell === '') return null;
  if (kind === 'text') return String(cell);
  const number = kind === 'time' && typeof cell === 'string' ? Date.parse(cell) : Number(cell);
  return Number.isNaN(number) ? String(cell) : number;
}

const words = new Intl.Collator(undefined, { numeric: true });
// In the order of a language it takes longer than anybody waits for a click: so many are put in the order of their letters.
const MOST_IN_WORDS = 20_000;

function asLetters(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

// What has no value comes last, whichever way the others are turned.
function compare(a: string | number | null, b: string | number | null, direction: number, compareWords: (a: string, b: string) => number): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  if (typeof a === 'number' && typeof b === 'number') return (a - b) * direction;
  return compareWords(String(a), String(b)) * direction;
}

function written(cell: Cell, kind: Kind): { text: string; title: string | undefined } {
  if (cell === null || cell === undefined) return { text: '', title: undefined };
  if (kind === 'time') {
    const instant = typeof cell === 'number' ? cell : Date.parse(String(cell));
    if (!Number.isNaN(instant)) return { text: dateTime(instant), title: utc(instant) };
  }
  if (typeof cell === 'number' && kind === 'duration') return { text: duration(cell), title: `${count(cell)} ms` };
  if (typeof cell === 'number') return { text: kind === 'number' ? numbers.format(cell) : String(cell), title: undefined };
  return { text: String(cell), title: undefined };
}

const numbers = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });
const WIDTHS: Record<Kind, number> = { number: 120, text: 190, time: 200, duration: 110 };

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { columns, rows, sort, filter, rowHeight = 30 } = props;
  const id = useId();
  const scroller = useRef<HTMLDivElement>(null);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const shown = useMemo(() => arranged(rows, columns, sort, filter), [rows, columns, sort, filter]);
  const [active, setActive] = useState({ row: -1, column: 0 });
  const [anchor, setAnchor] = useState<number | null>(null);
  const [said, say] = useState('');

  const options = {
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => rowHeight,
    overscan: 8,
    scrollToFn: elementScroll,
    observeElementRect,
    observeElementOffset,
    onChange: () => redraw(undefined),
  };
  const [virtual] = useState(() => new Virtualizer<HTMLDivElement, HTMLTableRowElement>({ ...options }));
  virtual.setOptions({ ...virtual.options, ...options });
  useEffect(() => virtual._didMount(), [virtual]);
  useEffect(() => virtual._willUpdate());
  useEffect(() => {
    setActive((now) => ({ ...now, row: Math.min(now.row, shown.length - 1) }));
  }, [shown.length]);

  const items = virtual.getVirtualItems();
  const first = items[0];
  const last = items[items.length - 1];
  const above = first?.start ?? 0;
  const below = last === undefined ? 0 : virtual.getTotalSize() - last.end;
  const cellId = (row: number, column: number): string => `${id}-${row}-${column}`;
  const inSight = active.row === -1 || items.some((item) => item.index === active.row);
  const selected = (row: number): boolean =>
    anchor === null ? false : row >= Math.min(anchor, active.row) && row <= Math.max(anchor, active.row);

  function turn(column: Column<Row>): void {
    if (column.fixed) return;
    // Numbers are looked at from the largest on, words from A on; a third time restores the order in which they came.
    const largestFirst = column.kind !== 'text';
    if (sort?.key !== column.key) props.onSort({ key: column.key, descending: largestFirst });
    else if (sort.descending === largestFirst) props.onSort({ key: column.key, descending: !largestFirst });
    else props.onSort(null);
  }

  function open(row: number, column: number): void {
    const subject = shown[row];
    const where = columns[column];
    if (subject !== undefined && where !== undefined && (props.opens?.(where) ?? true)) props.onCell?.(subject, where);
  }

  function move(row: number, column: number, extend: boolean): void {
    const to = { row: clamp(row, -1, shown.length - 1), column: clamp(column, 0, columns.length - 1) };
    setAnchor(extend ? (anchor ?? Math.max(active.row, 0)) : null);
    setActive(to);
    if (to.row >= 0) virtual.scrollToIndex(to.row);
    scroller.current?.querySelector(`[data-column="${to.column}"]`)?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
  }

  function copy(): void {
    const one = columns[active.column];
    const [from, to] = anchor === null ? [active.row, active.row] : [Math.min(anchor, active.row), Math.max(anchor, active.row)];
    const many = shown.slice(Math.max(from, 0), to + 1);
    const text = anchor === null && one !== undefined ? asTsv(many, [one], false) : asTsv(many, columns, true);
    void copyText(text).then(() => say(strings.table.copied(many.length, anchor === null)));
  }

  function onKeyDown(event: KeyboardEvent): void {
    const page = Math.max(1, Math.floor((scroller.current?.clientHeight ?? 300) / rowHeight) - 2);
    const command = event.ctrlKey || event.metaKey;
    const { row, column } = active;
    const steps: Record<string, [number, number]> = {
      ArrowDown: [row + 1, column],
      ArrowUp: [row - 1, column],
      ArrowRight: [row, column + 1],
      ArrowLeft: [row, column - 1],
      PageDown: [row + page, column],
      PageUp: [row - page, column],
      Home: command ? [0, 0] : [row, 0],
      End: command ? [shown.length - 1, columns.length - 1] : [row, columns.length - 1],
    };
    const step = steps[event.key];
    if (step !== undefined && !event.altKey) move(step[0], step[1], event.shiftKey);
    else if (event.key === 'Enter' || event.key === ' ') {
      const where = columns[column];
      if (row >= 0) open(row, column);
      else if (where !== undefined) turn(where);
    } else if (command && event.key === 'c' && row >= 0 && String(getSelection() ?? '') === '') copy();
    else if (command && event.key === 'a') {
      setAnchor(0);
      setActive({ row: shown.length - 1, column });
    } else return;
    event.preventDefault();
  }

  return (
    <div class="datatable">
      <div class="datatable-scroll" ref={scroller}>
        <table
          role="grid"
          style={{ minWidth: `${columns.reduce((sum, column) => sum + (column.width ?? WIDTHS[column.kind]), 0)}px` }}
          tabIndex={0}
          aria-label={props.caption}
          aria-rowcount={shown.length + 1}
          aria-colcount={columns.length}
          aria-multiselectable="true"
          aria-activedescendant={inSight ? cellId(active.row, active.column) : undefined}
          onKeyDown={onKeyDown}
        >
          <colgroup>
            {columns.map((column) => (
              <col key={column.key} style={{ width: `${column.width ?? WIDTHS[column.kind]}px` }} />
            ))}
          </colgroup>
          <thead>
            <tr aria-rowindex={1}>
              {columns.map((column, at) => (
                <th
                  key={column.key}
                  id={cellId(-1, at)}
                  scope="col"
                  data-column={at}
                  data-kind={column.kind}
                  data-active={active.row === -1 && active.column === at ? '' : undefined}
                  aria-colindex={at + 1}
                  aria-sort={column.fixed ? undefined : sort?.key !== column.key ? 'none' : sort.descending ? 'descending' : 'ascending'}
                  title={column.hint}
                  onClick={() => {
                    setActive({ row: -1, column: at });
                    turn(column);
                  }}
                >
                  {column.title}
                  {sort?.key === column.key && <span aria-hidden="true">{sort.descending ? '\u00a0▾' : '\u00a0▴'}</span>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {above > 0 && <Gap height={above} />}
            {items.map((item) => {
              const row = shown[item.index];
              if (row === undefined) return null;
              return (
                <tr key={item.index} aria-rowindex={item.index + 2} aria-selected={selected(item.index)} style={{ height: `${rowHeight}px` }}>
                  {columns.map((column, at) => {
                    const cell = cellOf(row, column);
                    const { text, title } = written(cell, column.kind);
                    const opens = props.onCell !== undefined && (props.opens?.(column) ?? true);
                    return (
                      <td
                        key={column.key}
                        id={cellId(item.index, at)}
                        data-kind={column.kind}
                        data-opens={opens ? '' : undefined}
                        data-active={active.row === item.index && active.column === at ? '' : undefined}
                        aria-colindex={at + 1}
                        title={title ?? (column.kind === 'text' && text.length > 20 ? text : undefined)}
                        onClick={(event) => {
                          setAnchor(event.shiftKey ? (anchor ?? Math.max(active.row, 0)) : null);
                          setActive({ row: item.index, column: at });
                          if (!event.shiftKey && opens) open(item.index, at);
                        }}
                      >
                        {column.render === undefined ? cell === null || cell === undefined ? <span class="none">{strings.table.none}</span> : text : column.render(row)}
                      </td>
                    );
                  })}
                </tr>
              );
            })}
            {below > 0 && <Gap height={below} />}
          </tbody>
        </table>
        {shown.length === 0 && <p class="datatable-empty">{props.empty ?? strings.table.empty}</p>}
      </div>
      <span class="visually-hidden" role="status">{said}</span>
    </div>
  );
}

function Gap({ height }: { height: number }) {
  return <tr aria-hidden="true" class="gap" style={{ height: `${height}px` }} />;
}

function clamp(number: number, least: number, most: number): number {
  return Math.max(least, Math.min(most, number));
}

/** Copies a text to the clipboard; where the browser has none for pages without encryption, by way of a selection. */
export async function copyText(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) return navigator.clipboard.writeText(text);
  const area = document.createElement('textarea');
  area.value = text;
  (document.querySelector('dialog[open]') ?? document.body).append(area);
  area.select();
  document.execCommand('copy');
  area.remove();
}
