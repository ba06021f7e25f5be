// Where the wall's figures come from: followed as long as it is of now, asked for once where it is of the past.
import { useEffect, useRef, useState } from 'preact/hooks';
import { useSignal, type Signal } from '@preact/signals';
import { askJson, problemOf, type Ask, type Problem } from '../../app/api';
import { follow, type Hearing } from '../../app/follow';

const EVERY = 5;
// The timeframe before changes as slowly as the timeframe is long: it is asked for again now and then.
const BEFORE_EVERY = 30_000;

/** An answer, and of which request it is the answer: while another is on its way, the last one is still shown. */
export interface Answered<T> {
  subject: string;
  path: string;
  value: T;
}

/** Follows a request; null follows nothing. Answers are digested at once, and only the digest is kept. */
export function useFollowed<A, T>(subject: string, request: Ask | null, digest: (answer: A, instant: number | null) => T): {
  answered: Answered<T> | null;
  hearing: Signal<Hearing>;
} {
  const [answered, setAnswered] = useState<Answered<T> | null>(null);
  const hearing = useSignal<Hearing>({ how: 'connecting', heard: null, problem: null });
  const path = request?.path ?? null;
  useEffect(() => {
    if (path === null) return;
    const following = follow<A>({ path }, { every: EVERY }, (answer, instant) => setAnswered({ subject, path, value: digest(answer, instant) }));
    const unsubscribe = following.hearing.subscribe((now) => {
      hearing.value = now;
    });
    return () => {
      unsubscribe();
      following.stop();
    };
  }, [subject, path]);
  return { answered: path === null ? null : only(answered, subject), hearing };
}

/** Asks once for each request; null asks for nothing. A later request ends the one before. */
export function useAsked<A, T>(subject: string, request: Ask | null, digest: (answer: A) => T): { answered: Answered<T> | null; problem: Problem | null } {
  const [answered, setAnswered] = useState<Answered<T> | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [attempt, setAttempt] = useState(0);
  const path = request?.path ?? null;
  useEffect(() => {
    if (path === null) return;
    const left = new AbortController();
    let again: ReturnType<typeof setTimeout> | undefined;
    askJson<A>({ path }, left.signal).then(
      (answer) => {
        setAnswered({ subject, path, value: digest(answer) });
        setProblem(null);
      },
      (error: unknown) => {
        if (left.signal.aborted) return;
        const met = problemOf(error);
        setProblem(met);
        if (met.passes) again = setTimeout(() => setAttempt((n) => n + 1), 3_000);
      },
    );
    return () => {
      left.abort();
      clearTimeout(again);
    };
  }, [subject, path, attempt]);
  return { answered: path === null ? null : only(answered, subject), problem };
}

/** The instant whose timeframe before is compared with: `instant` itself, but not another one every few seconds. */
export function useCalm(instant: number | null, subject: string): number | null {
  const held = useRef<{ subject: string; instant: number } | null>(null);
  if (instant === null) return null;
  const now = held.current;
  if (now === null || now.subject !== subject || Math.abs(instant - now.instant) >= BEFORE_EVERY) held.current = { subject, instant };
  return held.current?.instant ?? instant;
}

// Figures of one account are never shown under the name of another.
function only<T>(answered: Answered<T> | null, subject: string): Answered<T> | null {
  return answered !== null && answered.subject === subject ? answered : null;
}
