// The hours in memory, or the files, of an account.
import { useEffect, useState } from 'preact/hooks';
import { type Problem, problemOf } from '../../app/api';
import { count, size } from '../../app/format';
import { strings } from '../../app/strings';
import { type Column, DataTable, type Kind, type Sort } from '../../parts/DataTable';
import { Dialog } from '../../parts/Dialog';
import { Notice, ProblemNotice } from '../../parts/Notice';
import { askList, type List, MOST_LISTED } from './source';

type Row = Record<string, unknown>;

const KINDS: Record<List, [key: string, kind: Kind, width: number][]> = {
  hours: [['hour', 'time', 240], ['rows', 'number', 90], ['unsealed_rows', 'number', 110], ['bytes', 'number', 90], ['runs', 'number', 70],
    ['lowest_skill_id', 'number', 100], ['highest_skill_id', 'number', 100], ['first_end_time', 'time', 240], ['last_end_time', 'time', 240]],
  files: [['path', 'text', 330], ['state', 'text', 96], ['rows', 'number', 90], ['bytes', 'number', 90], ['in_memory', 'text', 96], ['first_hour', 'time', 240],
    ['last_hour', 'time', 240], ['written', 'time', 240]],
};

export function Listing({ list, account, onClose }: { list: List; account: string; onClose: () => void }) {
  const [rows, setRows] = useState<Row[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [sort, setSort] = useState<Sort | null>(null);
  const words = strings.system.listing;
  useEffect(() => {
    askList(list, account).then(setRows, (error: unknown) => setProblem(problemOf(error)));
  }, [list, account]);
  const title = words.titles[list](account);
  return (
    <Dialog title={title} onClose={onClose} wide>
      {problem !== null && <ProblemNotice problem={problem} />}
      {rows === null && problem === null && <p class="quiet">{strings.loading}</p>}
      {rows !== null && rows.length >= MOST_LISTED && <Notice>{words.most(count(MOST_LISTED))}</Notice>}
      {rows !== null && (
        <div class="system-listing"><DataTable columns={COLUMNS[list]} rows={rows} sort={sort} onSort={setSort} caption={title} empty={words.none[list]} /></div>
      )}
    </Dialog>
  );
}

const COLUMNS: Record<List, Column<Row>[]> = { hours: columnsOf('hours'), files: columnsOf('files') };

function columnsOf(list: List): Column<Row>[] {
  return KINDS[list].map(([key, kind, width]) => ({ key, kind, width, title: strings.system.listing.columns[key] ?? key, ...drawn(key) }));
}

function drawn(key: string): Partial<Column<Row>> {
  if (key === 'bytes') return { render: (row) => (typeof row[key] === 'number' ? size(row[key]) : strings.table.none) };
  // All files of an account begin alike.
  if (key === 'path') return { render: (row) => String(row[key]).replace(/^archive\/account=[^/]*\//, '') };
  if (key === 'in_memory') return { render: (row) => (row[key] === true ? strings.system.yes : strings.system.no) };
  return {};
}
