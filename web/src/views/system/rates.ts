/** How fast a counter goes, and how fast it went: as many points as fit a small line. */
export interface Rate {
  /** For each second, of the last minute; null before there were two values, or after the counter began anew. */
  now: number | null;
  history: readonly number[];
}

const POINTS = 120;
/** Milliseconds over which a rate is taken: what comes once in a while would jump from one look to the next. */
const SPAN = 60_000;

interface Kept {
  values: { value: number; at: number }[];
  history: number[];
}

/** Counters of before, from which rates are computed; a smaller value than before says that the server began anew. */
export class Rates {
  readonly #kept = new Map<string, Kept>();

  /** Takes a counter's value of the instant `at`, in milliseconds, and gives its rate. */
  take(name: string, value: number | null, at: number): Rate {
    const kept = this.#kept.get(name) ?? { values: [], history: [] };
    this.#kept.set(name, kept);
    const last = kept.values[kept.values.length - 1];
    if (value === null || (last !== undefined && value < last.value)) kept.values = [];
    if (value !== null) kept.values.push({ value, at });
    while (kept.values.length > 2 && (kept.values[1]?.at ?? at) <= at - SPAN) kept.values.shift();
    const first = kept.values[0];
    if (value === null || first === undefined || first.at >= at) return { now: null, history: [...kept.history] };
    const now = ((value - first.value) * 1000) / (at - first.at);
    kept.history.push(now);
    if (kept.history.length > POINTS) kept.history.shift();
    return { now, history: [...kept.history] };
  }
}
