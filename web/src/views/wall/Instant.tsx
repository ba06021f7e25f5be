// Which instant of the past: a day, a time, and a slider over the day.
import { useEffect, useRef, useState } from 'preact/hooks';
import { go } from '../../app/address';
import { time, utc } from '../../app/format';
import { strings } from '../../app/strings';

const MINUTES = 24 * 60 - 1;
// While the slider moves, a report is asked for when it rests for so long.
const REST = 120;

export function Instant({ at }: { at: number }) {
  const [chosen, setChosen] = useState(at);
  const rest = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  useEffect(() => {
    clearTimeout(rest.current);
    setChosen(at);
  }, [at]);
  useEffect(() => () => clearTimeout(rest.current), []);
  const words = strings.wall.past;
  const day = new Date(chosen);
  const minute = day.getHours() * 60 + day.getMinutes();
  const tomorrow = moved(chosen, 1, null) > Date.now();

  function choose(instant: number): void {
    clearTimeout(rest.current);
    go({ at: Math.min(instant, Date.now()) });
  }
  function slide(minutes: number): void {
    const instant = Math.min(moved(chosen, 0, minutes), Date.now());
    setChosen(instant);
    clearTimeout(rest.current);
    rest.current = setTimeout(() => go({ at: instant }, 'replace'), REST);
  }

  return (
    <div class="instant panel" role="group" aria-label={words.controls}>
      <button type="button" onClick={() => choose(moved(at, -1, null))}><span aria-hidden="true">‹ </span>{words.previous}</button>
      <label class="field inline">
        <span class="visually-hidden">{words.day}</span>
        <input type="date" value={inputDate(day)} max={inputDate(new Date())} required onChange={(event) => {
          const [year, month, date] = event.currentTarget.value.split('-').map(Number);
          if (year !== undefined && month !== undefined && date !== undefined && year > 1970) {
            choose(new Date(year, month - 1, date, day.getHours(), day.getMinutes(), day.getSeconds(), day.getMilliseconds()).getTime());
          }
        }} />
      </label>
      <label class="field inline">
        <span class="visually-hidden">{words.time}</span>
        <input type="time" value={`${two(day.getHours())}:${two(day.getMinutes())}`} required onChange={(event) => {
          const [hours, minutes] = event.currentTarget.value.split(':').map(Number);
          if (hours !== undefined && minutes !== undefined) choose(moved(chosen, 0, hours * 60 + minutes));
        }} />
      </label>
      <button type="button" disabled={tomorrow} onClick={() => choose(moved(at, 1, null))}>{words.next}<span aria-hidden="true"> ›</span></button>
      <button type="button" onClick={() => choose(moved(at, -7, null))}>{words.week}</button>
      <div class="slider">
        <input
          type="range"
          min={0}
          max={MINUTES}
          step={1}
          value={minute}
          aria-label={words.slider}
          aria-valuetext={time(chosen)}
          title={utc(chosen)}
          onInput={(event) => slide(Number(event.currentTarget.value))}
        />
        <div class="slider-hours" aria-hidden="true">{[0, 6, 12, 18, 24].map((hour) => <span key={hour}>{time(new Date(2026, 0, 1, hour).getTime())}</span>)}</div>
      </div>
      <button type="button" class="main" onClick={() => go({ view: 'wall', at: null })}>{words.now}</button>
    </div>
  );
}

/** Other days at the same time of the viewer's zone, or another minute of the day: days that are 23 or 25 hours long count as days. */
function moved(instant: number, days: number, minute: number | null): number {
  const date = new Date(instant);
  date.setDate(date.getDate() + days);
  if (minute !== null) date.setHours(0, minute, 0, 0);
  return date.getTime();
}

function inputDate(day: Date): string {
  return `${String(day.getFullYear()).padStart(4, '0')}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
}

function two(number: number): string {
  return String(number).padStart(2, '0');
}
