// Asks again and again while somebody looks.
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { type Snapshot, takeSnapshot } from './source';

export const EVERY = 5_000;

export interface Watch {
  snapshot: Snapshot | null;
  /** When it came, by the viewer's clock. */
  heard: number | null;
  isPaused: boolean;
  pause: (isPaused: boolean) => void;
  /** Asks at once. */
  refresh: () => void;
}

export function useWatch(): Watch {
  const [snapshot, setSnapshot] = useState<Snapshot | null>(null);
  const [heard, setHeard] = useState<number | null>(null);
  const last = useRef<Snapshot | null>(null);
  const [isPaused, pause] = useState(false);
  const [isHidden, setHidden] = useState(document.hidden);
  const [turn, refresh] = useReducer((number: number) => number + 1, 0);

  useEffect(() => {
    const look = (): void => setHidden(document.hidden);
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, []);

  useEffect(() => {
    if (isPaused || isHidden) return;
    const ending = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const next = async (): Promise<void> => {
      const taken = await takeSnapshot(last.current, ending.signal);
      if (ending.signal.aborted) return;
      last.current = taken;
      setSnapshot(taken);
      if (taken.statements.problem === null) setHeard(Date.now());
      timer = setTimeout(() => void next(), EVERY);
    };
    void next();
    return () => {
      ending.abort();
      clearTimeout(timer);
    };
  }, [isPaused, isHidden, turn]);

  return { snapshot, heard, isPaused, pause, refresh: () => refresh(undefined) };
}
