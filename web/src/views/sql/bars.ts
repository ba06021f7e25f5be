import type uPlot from 'uplot';

/** How much of the room between two positions its bars take together. */
const FILLED = 0.8;

/** The width of a position in units of the scale along: the smallest distance between two neighbours. */
export function stepOf(xs: ArrayLike<number>): number {
  let step = Number.POSITIVE_INFINITY;
  for (let index = 1; index < xs.length; index += 1) step = Math.min(step, (xs[index] ?? 0) - (xs[index - 1] ?? 0));
  return Number.isFinite(step) && step > 0 ? step : 1;
}

/** Paths of bars that stand side by side, one of each series at each position. */
export function barsBesideEachOther(count: number): uPlot.Series.PathBuilder {
  return (plot, index, first, last) => {
    const [xs, ys] = [plot.data[0], plot.data[index]];
    if (xs === undefined || ys === undefined) return null;
    const step = stepOf(xs);
    const path = new Path2D();
    const floor = plot.valToPos(Math.max(0, plot.scales['y']?.min ?? 0), 'y', true);
    for (let position = first; position <= last; position += 1) {
      const [x, y] = [xs[position], ys[position]];
      if (x === undefined || y === undefined || y === null) continue;
      const left = plot.valToPos(x - (step * FILLED) / 2, 'x', true);
      const width = (plot.valToPos(x + (step * FILLED) / 2, 'x', true) - left) / count;
      const top = plot.valToPos(y, 'y', true);
      path.rect(left + width * (index - 1), Math.min(top, floor), Math.max(1, width - (width > 4 ? 1 : 0)), Math.abs(floor - top));
    }
    return { stroke: null, fill: path, clip: null, band: null, flags: 1 };
  };
}
