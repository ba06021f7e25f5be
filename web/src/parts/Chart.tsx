// A chart over intervals of time: stacked bars, or one line. uPlot draws it; the keyboard and the words are ours.
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { date, time, utc } from '../app/format';
import { strings } from '../app/strings';
import { colour, shownTheme } from '../app/theme';
import { fillOf, type Pattern } from './patterns';
import './Chart.css';

export interface Series {
  key: string;
  title: string;
  /** The name of a colour of the theme. */
  colour: string;
  pattern: Pattern;
  /** One of each interval; null where there is none. */
  values: (number | null)[];
  /** What the legend says while no interval is looked at. */
  whole: string;
}

interface Props {
  title: string;
  note: string;
  kind: 'stacked' | 'line';
  /** Where intervals begin, the oldest first, in milliseconds since the epoch. */
  starts: number[];
  /** The length of an interval in milliseconds. */
  step: number;
  /** Stacked from the first, at the bottom, upwards. */
  series: Series[];
  write: (value: number) => string;
  /** Steps between lines of the vertical axis. */
  increments: number[];
  /** Called with an interval, and the key of a series where one is meant. */
  onOpen?: ((interval: number, series: string | null) => void) | undefined;
  onTable: () => void;
}

export function Chart(props: Props) {
  const { title, note, kind, starts, step, series, write, increments } = props;
  const holder = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [looked, setLooked] = useState<number | null>(null);
  const id = useId();
  const theme = shownTheme();
  const at = looked !== null && looked < starts.length ? looked : null;
  const newest = useRef(props);
  newest.current = props;

  useEffect(() => {
    const element = holder.current;
    if (element === null) return;
    const made = new uPlot(optionsOf(element, newest.current, setLooked), dataOf(newest.current), element);
    plot.current = made;
    const watch = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: element.clientHeight }));
    watch.observe(element);
    return () => {
      watch.disconnect();
      made.destroy();
      plot.current = null;
    };
    // What is drawn with, not what is drawn: new figures are handed to the plot there is.
  }, [theme, kind, series.length, step, increments, write]);

  useEffect(() => {
    plot.current?.setData(dataOf(newest.current));
  }, [starts, series]);

  function look(index: number): void {
    const to = Math.max(0, Math.min(starts.length - 1, index));
    setLooked(to);
    const made = plot.current;
    const start = starts[to];
    if (made !== null && start !== undefined) made.setCursor({ left: made.valToPos(start + step / 2, 'x'), top: 4 }, false);
  }

  function onKeyDown(event: KeyboardEvent): void {
    const now = at ?? starts.length;
    const to: Record<string, number> = { ArrowLeft: now - 1, ArrowDown: now - 1, ArrowRight: now + 1, ArrowUp: now + 1, Home: 0, End: starts.length - 1 };
    const index = to[event.key];
    if (index !== undefined) look(index);
    else if (event.key === 'Enter' && at !== null) props.onOpen?.(at, null);
    else if (event.key === 'Escape' && at !== null) setLooked(null);
    else return;
    event.preventDefault();
  }

  function onClick(event: MouseEvent): void {
    const made = plot.current;
    if (made === null || at === null || props.onOpen === undefined) return;
    const box = made.over.getBoundingClientRect();
    if (event.clientX < box.left || event.clientX > box.right || event.clientY < box.top || event.clientY > box.bottom) return;
    props.onOpen(at, kind === 'stacked' ? seriesAt(made.posToVal(event.clientY - box.top, 'y'), at, series) : null);
  }

  const when = at === null ? null : span(starts[at] ?? 0, step);
  const words = at === null ? strings.chart.help : [when?.text, ...series.map((one) => `${one.title} ${valueText(one.values[at], write)}`)].join(', ');
  return (
    <section class="chart panel" aria-labelledby={id} data-chart={series.map((one) => one.key).join(' ')}>
      <header class="chart-head">
        <h2 id={id}>{title}</h2>
        <span class="chart-when quiet small" title={when?.title}>{when?.text ?? note}</span>
        <button type="button" class="plain small chart-table" onClick={props.onTable}>{strings.chart.asTable}</button>
      </header>
      <ul class="legend">
        {series.map((one) => (
          <li key={one.key}>
            <i class="swatch" data-pattern={one.pattern} style={{ '--swatch': `var(--${one.colour})` }} aria-hidden="true" />
            <span>{one.title}</span>
            <b>{at === null ? one.whole : valueText(one.values[at], write)}</b>
          </li>
        ))}
      </ul>
      <div
        ref={holder}
        class="chart-plot"
        data-opens={props.onOpen === undefined ? undefined : ''}
        role="slider"
        tabIndex={0}
        aria-label={title}
        aria-valuemin={0}
        aria-valuemax={Math.max(0, starts.length - 1)}
        aria-valuenow={at ?? Math.max(0, starts.length - 1)}
        aria-valuetext={words}
        aria-orientation="horizontal"
        onKeyDown={onKeyDown}
        onClick={onClick}
        onBlur={() => {
          setLooked(null);
          plot.current?.setCursor({ left: -10, top: -10 }, false);
        }}
      />
    </section>
  );
}

function valueText(value: number | null | undefined, write: (value: number) => string): string {
  return value === null || value === undefined ? strings.table.none : write(value);
}

function span(start: number, step: number): { text: string; title: string } {
  return { text: `${time(start)} – ${time(start + step)}`, title: `${date(start)}, ${utc(start)} – ${utc(start + step)}` };
}

/** The series in whose part of a bar a value lies. */
function seriesAt(value: number, at: number, series: Series[]): string | null {
  let top = 0;
  for (const one of series) {
    top += one.values[at] ?? 0;
    if (value <= top) return one.key;
  }
  return null;
}

// Bars that are stacked are drawn from the sum of all down to the first alone, each over the one before.
function dataOf({ starts, series, kind, step }: Props): uPlot.AlignedData {
  // The last step needs an end.
  if (kind === 'line') return [[...starts, (starts[starts.length - 1] ?? 0) + step], ...series.map(({ values }) => [...values, values[values.length - 1]])];
  const sums = new Array<number>(starts.length).fill(0);
  const stacked = series.map((one) => one.values.map((value, at) => (sums[at] = (sums[at] ?? 0) + (value ?? 0))));
  return [starts, ...stacked.toReversed()];
}

function optionsOf(element: HTMLElement, { kind, step, series, write, increments, starts }: Props, look: (at: number | null) => void): uPlot.Options {
  const px = parseFloat(getComputedStyle(element).fontSize) || 13;
  const font = `${px}px system-ui, sans-serif`;
  const axis = { stroke: colour('quiet'), font, ticks: { show: false }, grid: { stroke: colour('faint'), width: 1 } };
  const first = series[0];
  return {
    width: element.clientWidth || 400,
    height: element.clientHeight || 160,
    ms: 1,
    padding: [px * 0.6, px * 1.7, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { setScale: false, x: false, y: false }, points: { show: kind === 'line' } },
    scales: {
      x: { time: true, range: (plot) => [plot.data[0]?.[0] ?? 0, (plot.data[0]?.[plot.data[0].length - 1] ?? 0) + (kind === 'line' ? 0 : step)] },
      y: { range: (_plot, _least, most) => [0, Math.max(most ?? 0, increments[0] ?? 1) * 1.06] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: px * 2, gap: px * 0.4, space: px * 6, values: (_plot, splits) => splits.map(time) },
      { ...axis, size: px * 4.6, gap: px * 0.4, space: px * 2.4, incrs: increments, values: (_plot, splits) => splits.map(write) },
    ],
    series: [
      {},
      ...(kind === 'stacked'
        ? series.toReversed().map((one): uPlot.Series => ({
            fill: fillOf(colour(one.colour), colour('surface'), one.pattern),
            stroke: colour('surface'),
            width: starts.length > 100 ? 0 : 1,
            paths: bars(starts.length),
            points: { show: false },
          }))
        : [{
            stroke: colour(first?.colour ?? 'text'),
            fill: `${colour(first?.colour ?? 'text')}22`,
            width: 2,
            paths: uPlot.paths.stepped?.({ align: 1 }),
            points: { show: false },
          } satisfies uPlot.Series]),
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const left = plot.cursor.left ?? -1;
          if (left < 0) return look(null);
          const all = plot.data[0];
          const begin = all[0] ?? 0;
          look(Math.max(0, Math.min(all.length - (kind === 'line' ? 2 : 1), Math.floor((plot.posToVal(left, 'x') - begin) / step))));
        },
      ],
    },
  };
}

function bars(intervals: number): uPlot.Series.PathBuilder | undefined {
  return uPlot.paths.bars?.({ size: [intervals > 100 ? 1 : 0.92, 200], align: 1 });
}
