// From a figure to the segments or conversations behind it.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { askSql, curlOf, problemOf, sqlRequest, type Problem } from '../../app/api';
import { agentName, skillName } from '../../app/names';
import { may } from '../../app/session';
import { strings } from '../../app/strings';
import { arranged, asTsv, copyText, DataTable, type Column, type Sort } from '../../parts/DataTable';
import { Dialog } from '../../parts/Dialog';
import { Notice, ProblemNotice } from '../../parts/Notice';
import type { Metric } from './report';

/** Of which figure the rows are wanted. */
export type Figured = {
  account: string;
  title: string;
  /** Skills as the report takes them; null for all. */
  skills: string | null;
} & (
  | { of: 'segments'; instant: number; timeframe: number; interval: number | null; start: number | null; metric: Metric; userType: string }
  | { of: 'open'; waiting: boolean }
);

type Row = Record<string, string | number | boolean | null>;

/** What the column `outcome` says, in the words of the charts. */
const OUTCOMES: Record<string, string> = {
  interactive: strings.outcomes.interactive,
  non_responsive_consumer: strings.outcomes.nonResponsiveConsumer,
  abandoned: strings.outcomes.abandoned,
  non_responsive_agent: strings.outcomes.nonResponsiveAgent,
};
const WIDTHS: Partial<Record<string, number>> = { conversation_id: 310, skill: 120, segment_index: 90, start_reason: 150, end_reason: 170, user_type: 90, abandoned_in_queue: 110 };

// More than anybody reads, and few enough to come at once.
const MOST = 10_000;

const SEGMENT_COLUMNS = ['end_time', 'skill', 'outcome', 'conversation_id', 'segment_index', 'start_time', 'start_reason', 'end_reason', 'abandoned_in_queue',
  'time_to_first_agent_message_ms', 'agent', 'user_type', 'agent_messages', 'consumer_messages', 'source'] as const;
const OPEN_COLUMNS = ['waits', 'skill', 'conversation_id', 'segment_index', 'start_time', 'start_reason', 'agent', 'user_type', 'assigned_time',
  'agent_messages', 'consumer_messages', 'last_message_time', 'last_message_by', 'source'] as const;

export function Behind({ figured, onClose }: { figured: Figured; onClose: () => void }) {
  const [rows, setRows] = useState<Row[] | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [sort, setSort] = useState<Sort | null>(null);
  const [filter, setFilter] = useState('');
  const [copied, setCopied] = useState(false);
  const statement = useMemo(() => statementOf(figured), [figured]);
  const columns = useMemo(() => columnsOf(figured), [figured]);
  const allowed = may('sql');

  useEffect(() => {
    if (!allowed) return;
    const left = new AbortController();
    askSql<Row>(statement.query, statement.parameters, figured.account, left.signal).then(setRows, (error: unknown) => {
      if (!left.signal.aborted) setProblem(problemOf(error));
    });
    return () => left.abort();
  }, [statement, allowed]);

  const shown = rows?.slice(0, MOST) ?? [];
  const words = strings.behind;
  function copy(text: string): void {
    void copyText(text).then(() => setCopied(true));
  }
  return (
    <Dialog title={figured.title} onClose={onClose} wide>
      {!allowed && <Notice tone="warn">{words.needs}</Notice>}
      {problem !== null && <ProblemNotice problem={problem} />}
      {allowed && problem === null && (
        <>
          <div class="behind-bar">
            <span role="status" class="quiet">{rows === null ? strings.loading : rows.length > MOST ? words.first(MOST) : words.found(rows.length)}</span>
            <input type="search" placeholder={words.filter} aria-label={words.filter} value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
            <button type="button" onClick={() => copy(asTsv(arranged(shown, columns, sort, filter), columns, true))}>{words.copyAll}</button>
            <button type="button" onClick={() => copy(curlOf(sqlRequest(statement.query, statement.parameters, figured.account)))}>{strings.wall.copyCurl}</button>
            <span role="status" class="quiet">{copied ? strings.copied : ''}</span>
          </div>
          <div class="behind-rows">
            {rows !== null && <DataTable columns={columns} rows={shown} sort={sort} onSort={setSort} filter={filter} caption={figured.title} empty={words.none} />}
          </div>
        </>
      )}
    </Dialog>
  );
}

function statementOf(figured: Figured): { query: string; parameters: unknown[] } {
  if (figured.of === 'open') {
    const conditions = ['account_id = $1'];
    if (figured.waiting) conditions.push('waiting_since is not null');
    if (figured.skills !== null) conditions.push(`skill_id in (${figured.skills})`);
    return {
      query: `select *, round(extract(epoch from now() - waiting_since) * 1000) as waits from open_conversations where ${conditions.join(' and ')} order by waiting_since, start_time limit ${MOST + 1}`,
      parameters: [figured.account],
    };
  }
  return {
    query: `select * from report_segments($1, $2, $3, $4, $5, $6, $7, $8) order by end_time desc limit ${MOST + 1}`,
    parameters: [figured.account, timeText(figured.instant), figured.timeframe, figured.interval, timeText(figured.start), figured.skills, figured.metric, figured.userType],
  };
}

// A parameter that is a time is given as text, not as milliseconds.
function timeText(instant: number | null): string | null {
  return instant === null ? null : new Date(instant).toISOString();
}

function columnsOf(figured: Figured): Column<Row>[] {
  const titles = strings.behind.columns;
  return (figured.of === 'open' ? OPEN_COLUMNS : SEGMENT_COLUMNS).map((key): Column<Row> => {
    const column = { key, title: titles[key], kind: kindOf(key), ...(WIDTHS[key] === undefined ? {} : { width: WIDTHS[key] }) };
    if (key === 'outcome') return { ...column, render: (row) => OUTCOMES[String(row['outcome'])] ?? row['outcome'] };
    if (key === 'skill') return { ...column, value: (row) => skillName(figured.account, String(row['skill_id'])) ?? String(row['skill_id']) };
    if (key === 'agent') {
      return {
        ...column,
        value: (row) => {
          const agent = row['last_agent_id'] ?? row['agent_id'] ?? null;
          return agent === null ? null : (agentName(figured.account, String(agent)) ?? agent);
        },
      };
    }
    return column;
  });
}

function kindOf(key: string): Column<Row>['kind'] {
  if (key.endsWith('_time')) return 'time';
  if (key.endsWith('_ms') || key === 'waits') return 'duration';
  return key.endsWith('_messages') || key === 'segment_index' ? 'number' : 'text';
}
