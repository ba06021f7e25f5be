// A part of the view with its name. What was not told says why, and what the token does not open says that.
import type { ComponentChildren } from 'preact';
import { ProblemNotice } from '../../parts/Notice';
import type { Told } from './source';

interface Props<T> {
  title: string;
  told: Told<T>;
  /** Stands on the whole width. */
  wide?: boolean;
  children: (value: T) => ComponentChildren;
}

export function Section<T>({ title, told, wide, children }: Props<T>) {
  return (
    <section class={wide ? 'panel system-section wide' : 'panel system-section'}>
      <h2>{title}</h2>
      {told.problem !== null && told.problem.status !== 0 && <ProblemNotice problem={told.problem} />}
      {told.value !== null && children(told.value)}
    </section>
  );
}
