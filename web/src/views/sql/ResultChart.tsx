// An answer as a chart: the first picture is there at once, and what is drawn can be chosen.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { count } from '../../app/format';
import { strings } from '../../app/strings';
import { shownTheme } from '../../app/theme';
import { Select } from '../../parts/Select';
import type { Answer } from './answer';
import { type Choice, drawingOf, firstChoice, type Shape } from './chart';
import { plot } from './plot';

export function ResultChart({ answer }: { answer: Answer }) {
  const { columns, rows } = answer;
  const [choice, setChoice] = useState<Choice | null>(() => firstChoice(columns, rows));
  if (choice === null || rows.length === 0) return <p class="quiet sql-empty">{strings.sql.chart.nothing}</p>;
  return (
    <div class="sql-chart">
      <Choices choice={choice} answer={answer} onChange={setChoice} />
      <Picture choice={choice} answer={answer} />
    </div>
  );
}

function Choices({ choice, answer, onChange }: { choice: Choice; answer: Answer; onChange: (choice: Choice) => void }) {
  const words = strings.sql.chart;
  const named = answer.columns.map((column, index) => ({ value: String(index), title: column.name }));
  const numeric = named.filter((_, index) => answer.columns[index]?.kind === 'number' && index !== choice.x && index !== choice.split);
  const shapes: { value: Shape; title: string }[] = [{ value: 'line', title: words.line }, { value: 'bar', title: words.bar }];

  function turn(y: number): void {
    const ys = choice.ys.includes(y) ? choice.ys.filter((one) => one !== y) : [...choice.ys, y].sort((a, b) => a - b);
    if (ys.length > 0) onChange({ ...choice, ys });
  }

  return (
    <div class="sql-choices">
      <Select label={words.shape} value={choice.shape} choices={shapes} onChange={(shape) => onChange({ ...choice, shape })} />
      <Select label={words.x} value={String(choice.x)} choices={named} onChange={(x) => onChange(without({ ...choice, x: Number(x) }, Number(x)))} />
      <Select
        label={words.split}
        value={choice.split === null ? '' : String(choice.split)}
        choices={[{ value: '', title: words.noSplit }, ...named.filter((_, index) => index !== choice.x)]}
        onChange={(split) => onChange(split === '' ? { ...choice, split: null } : without({ ...choice, split: Number(split) }, Number(split)))}
      />
      <fieldset>
        <legend>{words.y}</legend>
        {numeric.map(({ value, title }) => (
          <label key={value} class="check"><input type="checkbox" checked={choice.ys.includes(Number(value))} onChange={() => turn(Number(value))} /> {title}</label>
        ))}
      </fieldset>
    </div>
  );

  // What is along, or tells series apart, is not up as well; something always is.
  function without(next: Choice, used: number): Choice {
    const split = next.split === next.x ? null : next.split;
    const ys = next.ys.filter((y) => y !== used);
    const first = answer.columns.findIndex((column, index) => column.kind === 'number' && index !== next.x && index !== split);
    return { ...next, split, ys: ys.length > 0 ? ys : first < 0 ? next.ys : [first] };
  }
}

function Picture({ choice, answer }: { choice: Choice; answer: Answer }) {
  const host = useRef<HTMLDivElement>(null);
  const drawing = useMemo(() => drawingOf(choice, answer.columns, answer.rows), [choice, answer]);
  const words = strings.sql.chart;
  const x = answer.columns[choice.x]?.name ?? '';
  const theme = shownTheme();
  useEffect(() => {
    // The theme's colours are those of the page once its attribute has been set, which is after this.
    let end: (() => void) | undefined;
    const frame = requestAnimationFrame(() => {
      if (host.current !== null) end = plot(host.current, drawing, choice.shape, x);
    });
    return () => {
      cancelAnimationFrame(frame);
      end?.();
    };
  }, [drawing, choice.shape, x, theme]);
  return (
    <>
      <div class="sql-picture" ref={host} role="img" aria-label={words.picture(drawing.series.map((series) => series.name).join(', '), x)} />
      {drawing.leftOutSeries > 0 && <p class="quiet small">{words.leftOutSeries(count(drawing.leftOutSeries))}</p>}
      {drawing.leftOutLabels > 0 && <p class="quiet small">{words.leftOutLabels(count(drawing.leftOutLabels))}</p>}
    </>
  );
}
