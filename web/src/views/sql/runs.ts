// What runs in each tab, and what came of it. It outlives the view: whoever looks at the wall meanwhile finds it here again.
import { effect, signal } from '@preact/signals';
import { problemOf, type Problem } from '../../app/api';
import { me } from '../../app/session';
import { type Answer, type Gathered, plansIn, run, settle } from './answer';
import { remember } from './history';
import { firstWord, type Place, placeOf, trimmed } from './statement';

export type Run =
  | { state: 'running'; since: number; gathered: Gathered; stop: () => void }
  | { state: 'answered'; statement: string; answer: Answer }
  | { state: 'failed'; problem: Problem; place: Place | null };

/** By the tab's id. */
export const runs = signal<Readonly<Record<string, Run>>>({});

/** Counts statements that changed what there is to ask. */
export const changes = signal(0);

/** A text to run, and where it stands: behind how many signs of its tab, and with how many that were put in front of it. */
export interface Order {
  tab: string;
  text: string;
  account: string;
  from: number;
  ahead: string;
}

export async function start({ tab, text, account, from, ahead }: Order): Promise<void> {
  stop(tab);
  const statement = trimmed(ahead + text);
  const gathered: Gathered = { names: [], rows: [], isCut: false };
  const ending = new AbortController();
  const since = performance.now();
  const mine: Run = { state: 'running', since, gathered, stop: () => ending.abort() };
  set(tab, mine);
  const at = Date.now();
  let result: Run;
  let outcome: 'answered' | 'failed' | 'cancelled' = 'answered';
  try {
    const columns = await run(statement, account, gathered, ending.signal);
    result = { state: 'answered', statement, answer: answerOf(columns, gathered, since, false) };
  } catch (error) {
    outcome = ending.signal.aborted ? 'cancelled' : 'failed';
    result = ending.signal.aborted
      ? { state: 'answered', statement, answer: answerOf(settle(null, gathered), gathered, since, true) }
      : failed(problemOf(error), text, from, ahead);
  }
  remember({ statement: trimmed(text), at, milliseconds: performance.now() - since, rows: gathered.rows.length, outcome });
  if (outcome === 'answered' && ['create', 'drop', 'alter'].includes(firstWord(statement))) changes.value += 1;
  // Another statement may have been begun in the tab, or the tab closed.
  if (runs.peek()[tab] === mine) set(tab, result);
}

// What one token has seen is not for the next.
effect(() => {
  if (me.value !== null) return;
  for (const tab of Object.keys(runs.peek())) stop(tab);
  runs.value = {};
});

export function stop(tab: string): void {
  const before = runs.peek()[tab];
  if (before?.state === 'running') before.stop();
}

export function forget(tab: string): void {
  stop(tab);
  const { [tab]: _, ...rest } = runs.peek();
  runs.value = rest;
}

function set(tab: string, run: Run): void {
  runs.value = { ...runs.peek(), [tab]: run };
}

function failed(problem: Problem, text: string, from: number, ahead: string): Run {
  const place = placeOf(problem.message, text, ahead.length);
  return { state: 'failed', problem, place: place === null ? null : { from: place.from + from, to: place.to + from } };
}

function answerOf(columns: Answer['columns'], { rows, isCut }: Gathered, since: number, isStopped: boolean): Answer {
  return { columns, rows, isCut, isStopped, milliseconds: performance.now() - since, plans: plansIn(columns, rows) };
}
