// Follows an answer by push, and by polling where push does not come through; tells when it last heard.
import { signal, type Signal } from '@preact/signals';
import { ask, Problem, problemFrom, problemOf, type Ask } from './api';
import { eventsIn } from './events';

/** How a followed answer comes at the moment. */
export interface Hearing {
  how: 'connecting' | 'push' | 'polling' | 'lost' | 'ended';
  /** When anything last came, in milliseconds since the epoch, by this machine's clock. */
  heard: number | null;
  /** Why there is no newer answer; null while all is well. */
  problem: Problem | null;
}

export interface Following {
  hearing: Signal<Hearing>;
  stop(): void;
}

interface Pace {
  /** Seconds from one answer to the next. */
  every: number;
}

// A stream says something every fifteen seconds at least: this long without a word, and it is dead.
const SILENCE = 40_000;
// A stream that brings no first answer in this time is held up by somebody on the way.
const FIRST_ANSWER = 10_000;
const SHORTEST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
// After so many streams in a row without an answer, polling does it, and a stream is tried again now and then.
const STREAMS_IN_VAIN = 2;
const POLLS_BEFORE_NEXT_STREAM = 12;

/**
 * Follows `request` and hands each answer to `answered`, with the instant that it tells of where the server says so.
 * An answer comes as soon as there is one and then every `every` seconds, until `stop` is called or the server says for good why not.
 */
export function follow<T>(request: Ask, pace: Pace, answered: (answer: T, instant: number | null) => void): Following {
  const hearing = signal<Hearing>({ how: 'connecting', heard: null, problem: null });
  const stopped = new AbortController();
  void run();
  return { hearing, stop: () => stopped.abort() };

  async function run(): Promise<void> {
    let inVain = 0;
    let polls = 0;
    let failures = 0;
    while (!stopped.signal.aborted) {
      const byPush = inVain < STREAMS_IN_VAIN || polls >= POLLS_BEFORE_NEXT_STREAM;
      if (byPush) polls = 0;
      try {
        if (byPush) {
          const answers = await stream();
          inVain = answers === 0 ? inVain + 1 : 0;
          failures = answers === 0 ? failures + 1 : 0;
          await pause(SHORTEST_PAUSE);
        } else {
          await poll();
          polls += 1;
          failures = 0;
          await pause(pace.every * 1000);
        }
      } catch (error) {
        if (stopped.signal.aborted) return;
        const problem = problemOf(error);
        if (!problem.passes && problem.status !== 406) {
          hearing.value = { ...hearing.value, how: 'ended', problem };
          return;
        }
        // Streams that are not had, or too many of them, are no reason to wait: polling takes turns.
        if (byPush && (problem.status === 406 || problem.status === 429)) inVain += 1;
        failures += 1;
        hearing.value = { ...hearing.value, how: 'lost', problem };
        await pause(Math.min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** Math.min(failures - 1, 8)));
      }
    }
  }

  /** Follows one stream to its end, and tells how many answers it brought. */
  async function stream(): Promise<number> {
    const one = new AbortController();
    const end = (): void => one.abort();
    stopped.signal.addEventListener('abort', end, { once: true });
    let answers = 0;
    let watch = setTimeout(end, FIRST_ANSWER);
    const heard = (): void => {
      clearTimeout(watch);
      watch = setTimeout(end, answers === 0 ? FIRST_ANSWER : SILENCE);
    };
    try {
      const response = await ask({ ...request, path: withEvery(request.path, pace.every), accept: 'text/event-stream' }, one.signal);
      if (response.body === null) return answers;
      for await (const event of eventsIn(response.body)) {
        if (stopped.signal.aborted) break;
        heard();
        if (event.name === 'end') {
          const problem = problemFrom(event.data);
          // Whether the token is refused, the next request tells; a server that stops will be back.
          hearing.value = { ...hearing.value, how: 'lost', problem };
          break;
        }
        if (event.name === 'problem') {
          hearing.value = { how: 'push', heard: Date.now(), problem: problemFrom(event.data) };
          continue;
        }
        if (event.name === '') {
          hearing.value = { ...hearing.value, heard: Date.now() };
          continue;
        }
        answers += 1;
        heard();
        deliver('push', event.data, Number(event.id) || null);
      }
    } catch (error) {
      // A stream that breaks off after it brought something is no more than the end of a stream.
      if (!one.signal.aborted && answers === 0) throw error;
    } finally {
      clearTimeout(watch);
      stopped.signal.removeEventListener('abort', end);
      one.abort();
    }
    if (!stopped.signal.aborted && hearing.value.how === 'push') hearing.value = { ...hearing.value, how: 'lost' };
    return answers;
  }

  async function poll(): Promise<void> {
    const response = await ask(request, stopped.signal);
    const text = await response.text();
    deliver('polling', text, Date.parse(response.headers.get('date') ?? '') || null);
  }

  function deliver(how: 'push' | 'polling', text: string, instant: number | null): void {
    const answer = JSON.parse(text) as T;
    hearing.value = { how, heard: Date.now(), problem: null };
    answered(answer, instant);
  }

  function pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(done, milliseconds);
      stopped.signal.addEventListener('abort', done, { once: true });
      function done(): void {
        clearTimeout(timer);
        stopped.signal.removeEventListener('abort', done);
        resolve();
      }
    });
  }
}

function withEvery(path: string, every: number): string {
  return `${path}${path.includes('?') ? '&' : '?'}every=${every}`;
}
