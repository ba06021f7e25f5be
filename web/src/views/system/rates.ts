/** A counter's rate, kept for the last minutes: as many points as fit a small line. */
export interface Rate {
  /** For each second, between the last two polls; null before there were two, or after the counter began anew. */
  now: number | null;
  history: readonly number[];
}

const POINTS = 120;

/** Counters of before, from which rates are computed; a smaller value than before says that the server began anew. */
export class Rates {
  readonly #before = new Map<string, { value: number; at: number }>();
  readonly #histories = new Map<string, number[]>();

  /** Takes a counter's value of the instant `at`, in milliseconds, and gives its rate. */
  take(name: string, value: number | null, at: number): Rate {
    const before = this.#before.get(name);
    const history = this.#histories.get(name) ?? [];
    this.#histories.set(name, history);
    if (value === null) {
      this.#before.delete(name);
      return { now: null, history: [...history] };
    }
    this.#before.set(name, { value, at });
    if (before === undefined || value < before.value || at <= before.at) return { now: null, history: [...history] };
    const rate = ((value - before.value) * 1000) / (at - before.at);
    history.push(rate);
    if (history.length > POINTS) history.shift();
    return { now: rate, history: [...history] };
  }
}
