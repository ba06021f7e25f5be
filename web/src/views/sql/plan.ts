/** A step of a plan, in the order of the plan's lines; a step's inputs are the deeper ones that follow it. */
export interface Step {
  name: string;
  detail: string;
  depth: number;
  /** How many steps below this one follow it. */
  below: number;
  /** Rows that it gave, as the plan writes them, such as `1.15 K`; null where the plan does not tell. */
  rows: string | null;
  /** Time that it computed, in nanoseconds. */
  nanoseconds: number | null;
  /** All else that was measured, as the plan writes it. */
  measures: [name: string, value: string][];
}

export interface Plan {
  title: string;
  steps: Step[];
  /** The longest and the sum of the times of its steps, in nanoseconds. */
  longest: number;
  total: number;
}

const STEP = /^( *)([A-Z]\w*)(?::|,| |$)/;

/** The plan that the text of an `explain` tells, one step a line, indented by two blanks a level. */
export function parsePlan(title: string, text: string): Plan {
  const steps: Step[] = [];
  for (const line of linesOf(text)) steps.push(stepOf(line));
  steps.forEach((step, index) => {
    let end = index + 1;
    while (end < steps.length && (steps[end]?.depth ?? 0) > step.depth) end += 1;
    step.below = end - index - 1;
  });
  const times = steps.map((step) => step.nanoseconds ?? 0);
  return {
    title,
    steps,
    longest: times.reduce((longest, time) => Math.max(longest, time), 0),
    total: times.reduce((total, time) => total + time, 0),
  };
}

/** Texts in a condition may have line breaks: what does not begin as a step belongs to the line before. */
function linesOf(text: string): string[] {
  const lines: string[] = [];
  for (const line of text.split('\n')) {
    if (STEP.test(line) || lines.length === 0) {
      if (line.trim() !== '') lines.push(line);
    } else if (line !== '') {
      lines[lines.length - 1] += `\n${line}`;
    }
  }
  return lines;
}

const METRICS = 'metrics=[';

function stepOf(line: string): Step {
  const depth = Math.floor((line.length - line.trimStart().length) / 2);
  const start = line.lastIndexOf(METRICS);
  const end = line.lastIndexOf(']');
  const head = (start < 0 ? line : line.slice(0, start)).trim().replace(/,$/, '');
  const measures = start < 0 || end < start ? [] : measuresOf(line.slice(start + METRICS.length, end));
  const name = /^\w+/.exec(head)?.[0] ?? head;
  const told = new Map(measures);
  const rows = told.get('output_rows') ?? null;
  return {
    name,
    detail: head.slice(name.length).replace(/^[:,]\s*/, '').trim(),
    depth,
    below: 0,
    rows,
    nanoseconds: nanosecondsOf(told.get('elapsed_compute')),
    measures: measures.filter(([measure]) => measure !== 'output_rows' && measure !== 'elapsed_compute'),
  };
}

function measuresOf(text: string): [string, string][] {
  return text.split(/, (?=[a-z_]\w*(?:\{[^}]*\})?=)/).flatMap((measure): [string, string][] => {
    const equals = /^([^={]+(?:\{[^}]*\})?)=(.*)$/s.exec(measure);
    return equals?.[1] === undefined || equals[2] === undefined ? [] : [[equals[1], equals[2]]];
  });
}

const UNITS = new Map([['ns', 1], ['µs', 1e3], ['μs', 1e3], ['ms', 1e6], ['s', 1e9], ['m', 6e10]]);

function nanosecondsOf(text: string | undefined): number | null {
  const parts = /^([\d.]+)(ns|µs|μs|ms|s|m)$/.exec(text ?? '');
  return parts === null ? null : Number(parts[1]) * (UNITS.get(parts[2] ?? '') ?? 1);
}
