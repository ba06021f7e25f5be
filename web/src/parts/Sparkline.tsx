// A small line without axes, for a cell of a table. What it shows, the cells beside it tell in numbers.
interface Props {
  values: ArrayLike<number>;
  width?: number;
  height?: number;
}

export function Sparkline({ values, width = 110, height = 22 }: Props) {
  if (values.length < 2) return null;
  let most = 1;
  for (let at = 0; at < values.length; at += 1) most = Math.max(most, values[at] ?? 0);
  const step = (width - 2) / (values.length - 1);
  const y = (value: number): number => height - 2 - (value / most) * (height - 4);
  let line = '';
  for (let at = 0; at < values.length; at += 1) line += `${at === 0 ? 'M' : 'L'}${(1 + at * step).toFixed(1)} ${y(values[at] ?? 0).toFixed(1)}`;
  return (
    <svg class="sparkline" width={width} height={height} viewBox={`0 0 ${width} ${height}`} aria-hidden="true" focusable="false">
      <path d={`${line}L${width - 1} ${height - 1}L1 ${height - 1}Z`} class="sparkline-area" />
      <path d={line} class="sparkline-line" />
      <circle cx={width - 2} cy={y(values[values.length - 1] ?? 0)} r="2" class="sparkline-end" />
    </svg>
  );
}
