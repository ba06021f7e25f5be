// What went wrong, in the server's words, where it happened.
import type { ComponentChildren } from 'preact';
import type { Problem } from '../app/api';
import { strings } from '../app/strings';

export function Notice({ tone = 'info', children }: { tone?: 'info' | 'warn' | 'error'; children: ComponentChildren }) {
  return <div class="notice" data-tone={tone} role={tone === 'error' ? 'alert' : 'status'}>{children}</div>;
}

export function ProblemNotice({ problem }: { problem: Problem }) {
  if (problem.status === 0) return <Notice tone="warn">{strings.unreachable}</Notice>;
  return (
    <Notice tone="error">
      <strong>{problem.title || strings.problem}</strong>
      {problem.parameter !== undefined && <> <code>{problem.parameter}{problem.value === undefined ? '' : `=${problem.value}`}</code></>}
      {problem.message !== '' && <span> {problem.message}</span>}
    </Notice>
  );
}
