// How far the data of each account go, what it has in memory and in files, and the way to the hours and files themselves.
import { useMemo, useState } from 'preact/hooks';
import { size } from '../../app/format';
import { strings } from '../../app/strings';
import { type Column, DataTable, type Sort } from '../../parts/DataTable';
import { Sparkline } from '../../parts/Sparkline';
import { Listing } from './Listing';
import type { Rate } from './rates';
import type { AccountRow, FilesRow, HoursRow, List } from './source';

/** An account with all that is told of it. */
interface Row extends AccountRow {
  behind: number | null;
  silent: number | null;
  rate: Rate | undefined;
  hours: number | null;
  unsealed: number | null;
  hourBytes: number | null;
  files: number | null;
  fileBytes: number | null;
}

interface Props {
  accounts: readonly AccountRow[];
  hours: readonly HoursRow[] | null;
  files: readonly FilesRow[] | null;
  rates: ReadonlyMap<string, Rate>;
}

const ROW = 30;
const HEAD = 54;
const MOST_IN_SIGHT = 12;

export function Accounts({ accounts, hours, files, rates }: Props) {
  const [sort, setSort] = useState<Sort | null>(null);
  const [filter, setFilter] = useState('');
  const [opened, open] = useState<{ list: List; account: string } | null>(null);
  const rows = useMemo(() => accounts.map((account) => rowOf(account, hours, files, rates)), [accounts, hours, files, rates]);
  const words = strings.system.accounts;
  const height = HEAD + ROW * Math.min(Math.max(rows.length, 2), MOST_IN_SIGHT);
  return (
    <>
      <p class="quiet small">{words.hint}</p>
      {rows.length > MOST_IN_SIGHT && (
        <input type="search" placeholder={words.filter} aria-label={words.filter} value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
      )}
      <div style={{ height: `${height}px` }}>
        <DataTable
          columns={COLUMNS}
          rows={rows}
          sort={sort}
          onSort={setSort}
          filter={filter}
          caption={words.title}
          empty={words.none}
          opens={(column) => column.key === 'hours' || column.key === 'files'}
          onCell={(row, column) => open({ list: column.key === 'files' ? 'files' : 'hours', account: row.account_id })}
          rowHeight={ROW}
        />
      </div>
      {opened !== null && <Listing list={opened.list} account={opened.account} onClose={() => open(null)} />}
    </>
  );
}

function rowOf(account: AccountRow, hours: readonly HoursRow[] | null, files: readonly FilesRow[] | null, rates: ReadonlyMap<string, Rate>): Row {
  const since = (time: string | null): number | null => (time === null ? null : Date.parse(account.now) - Date.parse(time));
  const inMemory = hours?.find((row) => row.account_id === account.account_id);
  const ofFiles = files?.filter((row) => row.account_id === account.account_id) ?? [];
  const sum = (numbers: (number | null)[]): number | null => (files === null ? null : numbers.reduce<number>((total, number) => total + (number ?? 0), 0));
  return {
    ...account,
    behind: since(account.data_until),
    silent: since(account.last_arrival),
    rate: rates.get(account.account_id),
    hours: hours === null ? null : (inMemory?.hours ?? 0),
    unsealed: hours === null ? null : (inMemory?.unsealed_rows ?? 0),
    hourBytes: hours === null ? null : (inMemory?.bytes ?? 0),
    files: sum(ofFiles.map((row) => row.files)),
    // A session of one account is not told how long its files are.
    fileBytes: ofFiles.some((row) => row.bytes === null) ? null : sum(ofFiles.map((row) => row.bytes)),
  };
}

const titles = strings.system.accounts.columns;

function bytes(key: 'hourBytes' | 'fileBytes', title: string): Column<Row> {
  return { key, title, kind: 'number', width: 94, render: (row) => (row[key] === null ? strings.table.none : size(row[key])) };
}

const COLUMNS: Column<Row>[] = [
  { key: 'account_id', title: titles.account, kind: 'text', width: 110 },
  { key: 'behind', title: titles.behind, kind: 'duration', hint: titles.behindHint, width: 94 },
  { key: 'silent', title: titles.silent, kind: 'duration', hint: titles.silentHint, width: 84 },
  { key: 'rate', title: titles.rate, kind: 'number', hint: titles.rateHint, width: 112, value: (row) => (row.rate?.now ?? null) === null ? null : Math.round((row.rate?.now ?? 0) * 600) / 10, render: RateCell },
  { key: 'rows', title: titles.rows, kind: 'number', value: (row) => row.hot_rows + row.archived_rows, width: 84 },
  { key: 'open_conversations', title: titles.open, kind: 'number', width: 68 },
  { key: 'hours', title: titles.hours, kind: 'number', width: 76 },
  bytes('hourBytes', titles.hourBytes),
  { key: 'unsealed', title: titles.unsealed, kind: 'number', hint: titles.unsealedHint, width: 84 },
  { key: 'files', title: titles.files, kind: 'number', width: 64 },
  bytes('fileBytes', titles.fileBytes),
  { key: 'dead_letters', title: titles.deadLetters, kind: 'number', hint: titles.sinceStart, width: 76 },
  { key: 'gaps_given_up', title: titles.gaps, kind: 'number', hint: titles.sinceStart, width: 80 },
  { key: 'rejected', title: titles.rejected, kind: 'number', hint: titles.sinceStart, width: 86 },
];

function RateCell(row: Row) {
  if (row.rate === undefined || row.rate.now === null) return strings.table.none;
  return (
    <span class="system-rate">
      <Sparkline values={row.rate.history.map((each) => each * 60)} width={48} height={20} />
      {Math.round(row.rate.now * 600) / 10}
    </span>
  );
}
