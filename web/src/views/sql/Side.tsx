// What stands beside the editor: the questions of the documentation, what there is to ask, and what was asked before.
import { useState } from 'preact/hooks';
import { count, dateTime, duration, utc } from '../../app/format';
import { strings } from '../../app/strings';
import { forgetAll, history } from './history';
import { QUESTIONS } from './questions';
import { nameInStatement, quoted, type Schema, type Table } from './schema';

const PARTS = ['questions', 'schema', 'history'] as const;
type Part = (typeof PARTS)[number];

interface Props {
  schema: Schema;
  /** Opens a statement, and runs it where it is a question. */
  onOpen: (statement: string, name: string | undefined, run: boolean) => void;
  onInsert: (text: string) => void;
}

// Beside the editor there is room for one from here on; below it, each is opened when it is wanted.
const isWide = (): boolean => matchMedia('(min-width: 64rem)').matches;

export function Side({ schema, onOpen, onInsert }: Props) {
  const [part, setPart] = useState<Part | null>(isWide() ? 'questions' : null);
  const narrowed = (then: () => void): void => {
    if (!isWide()) setPart(null);
    then();
  };
  return (
    <aside class="sql-side panel" aria-label={strings.sql.side}>
      <div class="sql-side-parts">
        {PARTS.map((one) => (
          <button key={one} type="button" aria-pressed={one === part} onClick={() => setPart(one === part && !isWide() ? null : one)}>{strings.sql.parts[one]}</button>
        ))}
      </div>
      {part !== null && (
        <div class="sql-side-body" tabIndex={0} role="region" aria-label={strings.sql.parts[part]}>
          {part === 'questions' && <Questions onOpen={(statement, name) => narrowed(() => onOpen(statement, name, true))} />}
          {part === 'schema' && <Tables schema={schema} onInsert={onInsert} />}
          {part === 'history' && <History onOpen={(statement) => narrowed(() => onOpen(statement, undefined, false))} />}
        </div>
      )}
    </aside>
  );
}

function Questions({ onOpen }: { onOpen: (statement: string, name: string) => void }) {
  return (
    <ul class="sql-list">
      {QUESTIONS.map((question) => (
        <li key={question.name}>
          <button type="button" class="plain" onClick={() => onOpen(question.statement, question.name)}>{question.title}</button>
        </li>
      ))}
    </ul>
  );
}

function Tables({ schema, onInsert }: { schema: Schema; onInsert: (text: string) => void }) {
  const shown = schema.tables.filter((table) => table.schema !== 'information_schema');
  if (shown.length === 0) return <p class="quiet">{strings.loading}</p>;
  return (
    <div class="sql-schema">
      {shown.map((table) => <TableEntry key={`${table.schema}.${table.name}`} table={table} onInsert={onInsert} />)}
    </div>
  );
}

function TableEntry({ table, onInsert }: { table: Table; onInsert: (text: string) => void }) {
  const name = nameInStatement(table);
  return (
    <details>
      <summary title={table.comment ?? undefined}>{name}</summary>
      {table.comment !== null && <p class="quiet small">{table.comment}</p>}
      <button type="button" class="small" onClick={() => onInsert(name)}>{strings.sql.insertName}</button>
      <ul>
        {table.columns.map((column) => (
          <li key={column.name}>
            <button type="button" class="plain" title={column.comment ?? undefined} onClick={() => onInsert(quoted(column.name))}>
              <code>{column.name}</code> <span class="quiet small">{column.type}</span>
            </button>
          </li>
        ))}
      </ul>
    </details>
  );
}

function History({ onOpen }: { onOpen: (statement: string) => void }) {
  const words = strings.sql;
  if (history.value.length === 0) return <p class="quiet">{words.noHistory}</p>;
  return (
    <>
      <ul class="sql-list">
        {history.value.map((entry) => (
          <li key={entry.at}>
            <button type="button" class="plain" onClick={() => onOpen(entry.statement)}>
              <code class="sql-statement">{entry.statement}</code>
              <span class="quiet small" title={utc(entry.at)}>
                {dateTime(entry.at)}, {entry.outcome === 'answered' ? words.rowsIn(count(entry.rows), entry.rows, duration(entry.milliseconds)) : words.outcomes[entry.outcome]}
              </span>
            </button>
          </li>
        ))}
      </ul>
      <button type="button" onClick={forgetAll}>{words.forgetHistory}</button>
    </>
  );
}
