// Numbers, durations and times as the viewer is used to them: in the browser's locale and zone. UTC is always at hand.

const counts = new Intl.NumberFormat();
const percents = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 1 });
const changes = new Intl.NumberFormat(undefined, { style: 'percent', maximumFractionDigits: 0, signDisplay: 'exceptZero' });
const decimals = new Intl.NumberFormat(undefined, { maximumFractionDigits: 1 });
const bytes = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'].map((unit) => units(unit, 'short', 1));
const [days, hours, minutes, seconds, halfSeconds, milliseconds] = [
  units('day', 'narrow', 0),
  units('hour', 'narrow', 0),
  units('minute', 'narrow', 0),
  units('second', 'narrow', 0),
  units('second', 'narrow', 1),
  units('millisecond', 'short', 0),
] as const;
const clock = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit' });
const clockWithSeconds = new Intl.DateTimeFormat(undefined, { hour: '2-digit', minute: '2-digit', second: '2-digit' });
const dates = new Intl.DateTimeFormat(undefined, { weekday: 'short', day: 'numeric', month: 'short', year: 'numeric' });
const whole = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium', timeStyle: 'medium' });

function units(unit: string, unitDisplay: 'narrow' | 'short', maximumFractionDigits: number): Intl.NumberFormat {
  return new Intl.NumberFormat(undefined, { style: 'unit', unit, unitDisplay, maximumFractionDigits });
}

export function count(number: number): string {
  return counts.format(number);
}

export function decimal(number: number): string {
  return decimals.format(number);
}

/** A share from 0 to 1. */
export function percent(share: number): string {
  return percents.format(share);
}

/** A change as a share of what was before, with its sign; as a multiple where it is tenfold or more. */
export function change(share: number): string {
  if (share >= 9) return `×${count(Math.round(share + 1))}`;
  return changes.format(share);
}

export function size(number: number): string {
  let unit = 0;
  while (number >= 1024 && unit < bytes.length - 1) {
    number /= 1024;
    unit += 1;
  }
  return bytes[unit]?.format(number) ?? String(number);
}

/** A duration in its two largest units. */
export function duration(ms: number): string {
  if (ms < 0) return `−${duration(-ms)}`;
  if (ms === 0) return seconds.format(0);
  if (ms < 1_000) return milliseconds.format(Math.round(ms));
  if (ms < 10_000) return halfSeconds.format(ms / 1_000);
  const s = Math.round(ms / 1_000);
  if (s < 60) return seconds.format(s);
  if (s < 3_600) return pair(minutes, Math.floor(s / 60), seconds, s % 60);
  if (s < 86_400) return pair(hours, Math.floor(s / 3_600), minutes, Math.floor((s % 3_600) / 60));
  return pair(days, Math.floor(s / 86_400), hours, Math.floor((s % 86_400) / 3_600));
}

function pair(large: Intl.NumberFormat, ofLarge: number, small: Intl.NumberFormat, ofSmall: number): string {
  return ofSmall === 0 ? large.format(ofLarge) : `${large.format(ofLarge)} ${small.format(ofSmall)}`;
}

/** Hours and minutes in the viewer's zone. */
export function time(instant: number): string {
  return clock.format(instant);
}

export function timeWithSeconds(instant: number): string {
  return clockWithSeconds.format(instant);
}

export function date(instant: number): string {
  return dates.format(instant);
}

export function dateTime(instant: number): string {
  return whole.format(instant);
}

/** The same instant in UTC, for a title. */
export function utc(instant: number): string {
  return new Date(instant).toISOString().replace('T', ' ').replace(/\.?0*Z$/, ' UTC');
}
