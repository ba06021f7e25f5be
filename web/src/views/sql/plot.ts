import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { barsBesideEachOther, stepOf } from './bars';
import type { Drawing, Shape } from './chart';

const LOWEST = 240;
const LONGEST_LABEL = 18;
const DASHES = [[], [8, 4], [2, 3], [12, 4, 2, 4]];

/** The numbers and times of the chart as its viewer writes them. */
const SHORT = new Intl.NumberFormat(undefined, { notation: 'compact', maximumFractionDigits: 2 });
const FULL = new Intl.NumberFormat(undefined, { maximumFractionDigits: 6 });
const INSTANT = new Intl.DateTimeFormat(undefined, { dateStyle: 'short', timeStyle: 'short' });

/** Draws into `host` until what this gives is called; the size follows that of `host`. */
export function plot(host: HTMLElement, drawing: Drawing, shape: Shape, xName: string): () => void {
  const data: uPlot.AlignedData = [drawing.xs, ...drawing.series.map((series) => series.values)];
  const chart = new uPlot(optionsOf(host, drawing, shape, xName), data, host);
  chart.setSize(sizeOf(host));
  const observer = new ResizeObserver(() => chart.setSize(sizeOf(host)));
  observer.observe(host);
  return () => {
    observer.disconnect();
    chart.destroy();
  };
}

/** The room that the legend leaves. */
function sizeOf(host: HTMLElement): { width: number; height: number } {
  const legend = host.querySelector('.u-legend')?.clientHeight ?? 0;
  return { width: Math.max(240, host.clientWidth), height: Math.max(LOWEST, host.clientHeight - legend - 8) };
}

function optionsOf(host: HTMLElement, drawing: Drawing, shape: Shape, xName: string): uPlot.Options {
  const style = getComputedStyle(host);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const [text, line] = [colour('--quiet'), colour('--line')];
  const grid = { stroke: line, width: 1 };
  const common = { stroke: text, grid, ticks: grid, font: `12px ${style.fontFamily}` };
  const half = stepOf(drawing.xs) / 2;
  return {
    ...sizeOf(host),
    cursor: { drag: { x: drawing.labels === null, y: false } },
    scales: {
      x: { time: drawing.isTime, ...(shape === 'bar' ? { range: (_, min, max) => [min - half, max + half] as uPlot.Range.MinMax } : {}) },
      y: { range: (_, min, max) => rangeOf(min, max, shape) },
    },
    axes: [
      { ...common, ...labelsAlong(drawing) },
      { ...common, size: 56, values: (_, splits) => splits.map((value) => SHORT.format(value)) },
    ],
    series: [
      { label: xName, value: (_, x) => positionText(drawing, x) },
      ...drawing.series.map((series, index) => seriesOf(series.name, index, drawing, shape, colour(`--series-${index + 1}`))),
    ],
  };
}

/** Amounts are compared by their length, so that the floor is 0. */
function rangeOf(min: number | null, max: number | null, shape: Shape): uPlot.Range.MinMax {
  const [low, high] = [min ?? 0, max ?? 1];
  const floor = shape === 'bar' || low > 0 ? Math.min(0, low) : low;
  const top = Math.max(high, floor === high ? floor + 1 : high);
  return [floor, top + (top - floor) * 0.05];
}

function seriesOf(label: string, index: number, drawing: Drawing, shape: Shape, colour: string): uPlot.Series {
  const value = (_: uPlot, number: number | null): string => (number === null || number === undefined ? '–' : FULL.format(number));
  if (shape === 'bar') return { label, value, fill: colour, stroke: colour, width: 0, paths: barsBesideEachOther(drawing.series.length), points: { show: false } };
  const dash = DASHES[Math.floor(index / 2) % DASHES.length] ?? [];
  return { label, value, stroke: colour, width: 2, dash, points: { show: drawing.xs.length < 60, size: 6 } };
}

function labelsAlong(drawing: Drawing): Partial<uPlot.Axis> {
  const { labels, isTime } = drawing;
  if (labels === null) return isTime ? {} : { values: (_, splits) => splits.map((value) => FULL.format(value)) };
  const longest = Math.min(LONGEST_LABEL, labels.reduce((length, label) => Math.max(length, label.length), 0));
  const isLong = longest > 6;
  return {
    incrs: [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000],
    space: isLong ? 22 : 44,
    ...(isLong ? { rotate: -45, size: 24 + longest * 5 } : {}),
    values: (_, splits) => splits.map((value) => shortened(Number.isInteger(value) ? (labels[value] ?? '') : '')),
  };
}

function shortened(label: string): string {
  return label.length > LONGEST_LABEL ? `${label.slice(0, LONGEST_LABEL - 1)}…` : label;
}

function positionText(drawing: Drawing, x: number | null): string {
  if (x === null || x === undefined) return '–';
  if (drawing.labels !== null) return drawing.labels[x] ?? '';
  return drawing.isTime ? INSTANT.format(x * 1000) : FULL.format(x);
}
