/** One value of a metric, with what its labels say. */
export interface Sample {
  labels: ReadonlyMap<string, string>;
  value: number;
}

/** What a scrape of `/metrics` told, by the names of metrics. Buckets of histograms are left out: nothing here shows them. */
export class Scrape {
  readonly #samples = new Map<string, Sample[]>();

  constructor(text: string) {
    for (const line of text.split('\n')) {
      const parts = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/.exec(line);
      if (parts?.[1] === undefined || parts[1].endsWith('_bucket')) continue;
      const samples = this.#samples.get(parts[1]) ?? [];
      samples.push({ labels: labelsOf(parts[2] ?? ''), value: Number(parts[3]) });
      this.#samples.set(parts[1], samples);
    }
  }

  samples(name: string): readonly Sample[] {
    return this.#samples.get(name) ?? [];
  }

  /** The sum of a metric's values whose labels have these values; null where there is none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number | null {
    const wanted = Object.entries(labels);
    const found = this.samples(name).filter((sample) => wanted.every(([label, value]) => sample.labels.get(label) === value));
    return found.length === 0 ? null : found.reduce((sum, sample) => sum + sample.value, 0);
  }
}

function labelsOf(text: string): Map<string, string> {
  const labels = new Map<string, string>();
  for (const [, name, value] of text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)) {
    if (name !== undefined && value !== undefined) labels.set(name, value.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign)));
  }
  return labels;
}
