// The large figures.
import { count, duration, utc } from '../../app/format';
import { strings } from '../../app/strings';
import { Figure } from '../../parts/Figure';
import type { Board } from './board';
import { changeOf, large, valueOf, writtenOf } from './figures';
import type { Metric, Metrics, Now } from './report';

/** Who waits, and what is open, at this instant. */
export function NowFigures({ now, onOpen }: { now: Now | null; onOpen: (title: string, waiting: boolean) => void }) {
  const total = now?.metricsTotal ?? null;
  const words = strings.wall;
  const title = now === null ? undefined : utc(now.time);
  const waits = total !== null && total.waitingConversations > 0;
  return (
    <section class="figure-group" aria-labelledby="figures-now">
      <h2 id="figures-now">{words.now}</h2>
      <div class="figures">
      <Figure metric="waitingConversations" label={words.waiting} title={title} value={total && count(total.waitingConversations)}
        note={total === null ? undefined : waits ? words.median(duration(total.waitTime50thPercentile)) : words.nobody}
        onOpen={() => onOpen(words.waiting, true)} />
      <Figure metric="maxWaitTime" label={words.longestWait} title={title} value={total && (waits ? duration(total.maxWaitTime) : strings.table.none)}
        note={waits ? words.onAverage(duration(total.avgWaitTime)) : undefined}
        tone={waits && total.maxWaitTime >= LONG ? 'warn' : 'plain'}
        onOpen={() => onOpen(words.longestWait, true)} />
      <Figure metric="openConversations" label={words.open} title={title} value={total && count(total.openConversations)}
        note={total === null ? undefined : words.withAgents(count(total.assignedToHuman), count(total.assignedToBot))}
        onOpen={() => onOpen(words.open, false)} />
      </div>
    </section>
  );
}

// Whoever waits for longer than this has been forgotten.
const LONG = 600_000;

/** How the segments of the timeframe ended. */
export function TimeframeFigures({ board, before, heading, onOpen }: {
  board: Board | null;
  before: Metrics | null;
  heading: string;
  onOpen: (metric: Metric) => void;
}) {
  return (
    <section class="figure-group" aria-labelledby="figures-timeframe">
      <h2 id="figures-timeframe" title={board === null ? undefined : utc(board.instant)}>{heading}</h2>
      <div class="figures">
      {large.map(({ metric, title }) => {
        const value = board === null ? null : valueOf(board.total, metric);
        const earlier = before === null ? null : valueOf(before, metric);
        const write = writtenOf(metric);
        return (
          <Figure key={metric} metric={metric} label={title} value={value === null ? null : write(value)}
            note={earlier === null ? undefined : strings.wall.before(write(earlier), changeOf(value, earlier))}
            onOpen={() => onOpen(metric)} />
        );
      })}
      </div>
    </section>
  );
}
