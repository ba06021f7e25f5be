// How the timeframe went, interval by interval.
import { useMemo, useState } from 'preact/hooks';
import { count, dateTime, duration } from '../../app/format';
import { strings } from '../../app/strings';
import { Chart, type Series } from '../../parts/Chart';
import { DataTable, type Column, type Sort } from '../../parts/DataTable';
import { Dialog } from '../../parts/Dialog';
import type { Board } from './board';
import { outcomes, titleOf, valueOf, writtenOf } from './figures';
import type { Metric } from './report';

interface Props {
  board: Board;
  /** Minutes. */
  interval: number;
  onOpen: (metric: Metric, start: number) => void;
}

const COUNTS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 200_000, 500_000, 1_000_000];
const DURATIONS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400, 43_200, 86_400].map((seconds) => seconds * 1_000);
const FIRST: Metric = 'avgTimetoFirstAgentMessageFromAgentAssignment';
const QUEUE: Metric = 'skillSegmentsAbandonedByConsumersInQueue';

export function Charts({ board, interval, onOpen }: Props) {
  const [tabled, setTabled] = useState<{ title: string; metrics: Metric[] } | null>(null);
  const words = strings.wall;
  const drawn = useMemo(() => {
    const one = (metric: Metric, title: string, colour: string, pattern: Series['pattern']): Series => {
      const whole = valueOf(board.total, metric);
      return {
        key: metric,
        title,
        colour,
        pattern,
        values: board.intervals.map((part) => valueOf(part.metrics, metric)),
        whole: whole === null ? strings.table.none : writtenOf(metric)(whole),
      };
    };
    return {
      starts: board.intervals.map((part) => part.start),
      outcomes: outcomes.map(({ metric, title, colour, pattern }) => one(metric, title, colour, pattern)),
      first: [one(FIRST, words.firstMessageShort, 'line-first', 'solid')],
      queue: [one(QUEUE, words.inQueueShort, 'abandoned', 'stripes')],
    };
  }, [board]);
  const step = interval * 60_000;
  const note = words.perInterval(interval);
  const open = (metric: Metric) => (index: number): void => {
    const start = board.intervals[index]?.start;
    if (start !== undefined) onOpen(metric, start);
  };
  const openOutcome = (index: number, key: string | null): void => {
    open(outcomes.find((one) => one.metric === key)?.metric ?? 'totalSkillConversationSegments')(index);
  };
  return (
    <div class="charts">
      <Chart title={words.byOutcome} note={note} kind="stacked" starts={drawn.starts} step={step} series={drawn.outcomes} write={count} increments={COUNTS}
        onOpen={openOutcome} onTable={() => setTabled({ title: words.byOutcome, metrics: ['totalSkillConversationSegments', ...outcomes.map((one) => one.metric)] })} />
      <Chart title={words.toFirstMessage} note={note} kind="line" starts={drawn.starts} step={step} series={drawn.first} write={duration} increments={DURATIONS}
        onOpen={open(FIRST)} onTable={() => setTabled({ title: words.toFirstMessage, metrics: [FIRST] })} />
      <Chart title={words.inQueue} note={note} kind="stacked" starts={drawn.starts} step={step} series={drawn.queue} write={count} increments={COUNTS}
        onOpen={open(QUEUE)} onTable={() => setTabled({ title: words.inQueue, metrics: ['skillSegmentsAbandonedByConsumers', QUEUE] })} />
      {tabled !== null && <Intervals {...tabled} board={board} onOpen={onOpen} onClose={() => setTabled(null)} />}
    </div>
  );
}

type Part = Board['intervals'][number];

function Intervals({ title, metrics, board, onOpen, onClose }: { title: string; metrics: Metric[]; board: Board; onOpen: Props['onOpen']; onClose: () => void }) {
  const [sort, setSort] = useState<Sort | null>(null);
  const columns = useMemo<Column<Part>[]>(() => [
    { key: 'start', title: strings.chart.begin, kind: 'time', value: (part) => part.start, render: (part) => dateTime(part.start) },
    ...metrics.map((metric): Column<Part> => ({
      key: metric,
      title: titleOf(metric),
      kind: metric === FIRST ? 'duration' : 'number',
      width: 150,
      value: (part) => valueOf(part.metrics, metric),
    })),
  ], [metrics]);
  return (
    <Dialog title={title} onClose={onClose} wide>
      <div class="behind-rows">
        <DataTable columns={columns} rows={board.intervals} sort={sort} onSort={setSort} caption={title}
          opens={(column) => column.key !== 'start'} onCell={(part, column) => onOpen(column.key as Metric, part.start)} />
      </div>
    </Dialog>
  );
}
