// The skills: what waits in them, what ended in them, and how that changed.
import { useMemo } from 'preact/hooks';
import { address, go } from '../../app/address';
import { change, count } from '../../app/format';
import { namesOf, skillName } from '../../app/names';
import { strings } from '../../app/strings';
import { DataTable, type Column, type Sort } from '../../parts/DataTable';
import { Sparkline } from '../../parts/Sparkline';
import type { Board } from './board';
import { valueOf, writtenOf } from './figures';
import type { Metric, Metrics, Now, OpenMetrics } from './report';

interface Row {
  skill: string;
  name: string;
  metrics: Metrics | null;
  open: OpenMetrics | null;
  before: Metrics | null;
  trend: Uint32Array | null;
}

interface Props {
  account: string;
  board: Board;
  /** Null in the past, of which nobody knows who waited. */
  now: Now | null;
  live: boolean;
  before: Record<string, Metrics> | null;
  onSegments: (skill: string, metric: Metric) => void;
  onConversations: (skill: string, waiting: boolean) => void;
  rowHeight: number;
}

export function Skills({ account, board, now, live, before, onSegments, onConversations, rowHeight }: Props) {
  const words = strings.wall;
  const rows = useMemo(() => rowsOf(account, board, now, before), [board, now, before, namesOf(account)]);
  const trended = board.intervals.length > 1;
  const columns = useMemo(() => columnsOf(live, before !== null, trended), [live, before !== null, trended]);
  const sort = sortIn(address.value.sort, columns);
  return (
    <section class="skills panel" aria-labelledby="skills-title">
      <h2 id="skills-title">{words.skills} <span class="quiet">{count(rows.length)}</span></h2>
      <DataTable
        columns={columns}
        rows={rows}
        sort={sort}
        onSort={(next) => go({ sort: next === null ? '' : `${next.descending ? '-' : ''}${next.key}` }, 'replace')}
        caption={words.skills}
        empty={words.nothing}
        rowHeight={rowHeight}
        opens={(column) => column.key !== 'trend'}
        onCell={(row, column) => {
          if (column.key === 'skill') go({ skillIds: address.value.skillIds === row.skill ? 'all' : row.skill });
          else if (column.key === 'waitingConversations' || column.key === 'maxWaitTime') onConversations(row.skill, true);
          else if (column.key === 'openConversations') onConversations(row.skill, false);
          else onSegments(row.skill, column.key === 'change' ? 'totalSkillConversationSegments' : (column.key as Metric));
        }}
      />
    </section>
  );
}

function rowsOf(account: string, board: Board, now: Now | null, before: Record<string, Metrics> | null): Row[] {
  const open = now?.skillsMetrics ?? {};
  const skills = new Set([...Object.keys(board.skills), ...Object.keys(open), ...Object.keys(before ?? {})]);
  return [...skills].map((skill) => ({
    skill,
    name: skillName(account, skill) ?? skill,
    metrics: board.skills[skill] ?? null,
    open: open[skill] ?? null,
    before: before?.[skill] ?? null,
    trend: board.trends.get(skill) ?? null,
  }));
}

function columnsOf(live: boolean, compared: boolean, trended: boolean): Column<Row>[] {
  const words = strings.wall;
  // A skill that is in no report has none of it, and that is 0.
  const of = (metric: Metric, title: string, width: number): Column<Row> => {
    const write = writtenOf(metric);
    const value = (row: Row): number | null => (row.metrics === null ? (metric === FIRST ? null : 0) : valueOf(row.metrics, metric));
    return {
      key: metric,
      title,
      kind: metric === FIRST ? 'duration' : 'number',
      width,
      value,
      render: (row) => {
        const now = value(row);
        const then = row.before === null ? null : valueOf(row.before, metric);
        return <span data-metric={metric} title={then === null ? undefined : words.beforeHint(write(then))}>{now === null ? strings.table.none : write(now)}</span>;
      },
    };
  };
  const open = (metric: 'waitingConversations' | 'maxWaitTime' | 'openConversations', title: string): Column<Row> => ({
    key: metric,
    title,
    kind: metric === 'maxWaitTime' ? 'duration' : 'number',
    width: 78,
    value: (row) => (metric === 'maxWaitTime' ? row.open?.maxWaitTime || null : (row.open?.[metric] ?? 0)),
  });
  return [
    { key: 'skill', title: words.skill, kind: 'text', width: 170, value: (row) => row.name, render: (row) => <b class="skill-name" data-skill={row.skill} title={row.name === row.skill ? undefined : `${row.name} (${row.skill})`}>{row.name}</b> },
    ...(live ? [open('waitingConversations', words.waiting), open('maxWaitTime', words.longestWait), open('openConversations', words.open)] : []),
    of('totalSkillConversationSegments', words.ended, 76),
    ...(compared
      ? [{ key: 'change', title: words.change, hint: words.changeHint, kind: 'number', width: 78, value: changed, render: changeText } satisfies Column<Row>]
      : []),
    ...(trended
      ? [{ key: 'trend', title: words.trend, hint: words.trendHint, kind: 'text', width: 118, fixed: true, value: (row) => row.trend?.join(' ') ?? null, render: (row) => <Sparkline values={row.trend ?? []} width={98} /> } satisfies Column<Row>]
      : []),
    of('interactiveSkillSegments', strings.outcomes.interactive, 98),
    of('skillSegmentsWithNonResponsiveConsumers', words.consumerShort, 90),
    of('skillSegmentsAbandonedByConsumers', words.abandoned, 96),
    of('skillSegmentsAbandonedByConsumersInQueue', words.inQueueShort, 78),
    of('skillSegmentsWithNonResponsiveAgents', words.agentShort, 84),
    of(FIRST, words.firstMessageShort, 90),
  ];
}

const FIRST: Metric = 'avgTimetoFirstAgentMessageFromAgentAssignment';

/** By which share the segments are more or fewer; null where there were none to compare with. */
function changed(row: Row): number | null {
  const before = row.before?.totalSkillConversationSegments ?? 0;
  return before === 0 ? null : (row.metrics?.totalSkillConversationSegments ?? 0) / before - 1;
}

function changeText(row: Row) {
  const share = changed(row);
  const before = row.before?.totalSkillConversationSegments ?? 0;
  const text = share !== null ? change(share) : row.metrics === null ? strings.table.none : strings.wall.fresh;
  return <span class="quiet" title={strings.wall.beforeHint(count(before))}>{text}</span>;
}

function sortIn(text: string, columns: Column<Row>[]): Sort {
  const key = text.replace(/^-/, '');
  return columns.some((column) => column.key === key) ? { key, descending: text.startsWith('-') } : { key: 'totalSkillConversationSegments', descending: true };
}
