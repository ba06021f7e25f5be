// Starts the page: who looks, then the view that the address names. The only place that knows all views.
import { effect } from '@preact/signals';
import { render, type ComponentType } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { forgetAccounts } from './app/accounts';
import { address, type View } from './app/address';
import { forgetNames } from './app/names';
import { hindrance, may, me, signedOut, startSession, type Scope } from './app/session';
import { startTheme } from './app/theme';
import { strings } from './app/strings';
import { Frame } from './app/Frame';
import { Notice, ProblemNotice } from './parts/Notice';
import { SignIn } from './views/signin/SignIn';

type Load = () => Promise<{ default: ComponentType }>;

/** What each view needs of a token, and where it is: each is a chunk of its own. */
const views: Record<View, { scope: Scope; load: Load }> = {
  wall: { scope: 'report', load: () => import('./views/wall') },
  past: { scope: 'report', load: () => import('./views/wall') },
  sql: { scope: 'sql', load: () => import('./views/sql') },
  system: { scope: 'sql', load: () => import('./views/system') },
};

function Console() {
  if (signedOut.value) return <SignIn />;
  if (me.value === null) {
    return <main id="content" class="starting">{hindrance.value === null ? <p class="quiet">{strings.loading}</p> : <ProblemNotice problem={hindrance.value} />}</main>;
  }
  const open = (Object.keys(views) as View[]).filter((view) => may(views[view].scope));
  const asked = address.value.view;
  const first = open[0];
  if (first === undefined) return <Frame views={open} view={asked}><Notice tone="warn">{strings.noView}</Notice></Frame>;
  // The start page of a token that opens no wall is what it opens.
  const view = open.includes(asked) || new URLSearchParams(location.search).has('view') ? asked : first;
  return (
    <Frame views={open} view={view}>
      {open.includes(view) ? <Lazy key={view === 'past' ? 'wall' : view} load={views[view].load} /> : <Notice tone="warn">{strings.notOpen(views[view].scope)}</Notice>}
    </Frame>
  );
}

function Lazy({ load }: { load: Load }) {
  const [view, setView] = useState<{ Component: ComponentType } | 'loading' | 'failed'>('loading');
  useEffect(() => {
    let left = false;
    load().then(
      ({ default: Component }) => left || setView({ Component }),
      () => left || setView('failed'),
    );
    return () => {
      left = true;
    };
  }, [load]);
  if (view === 'loading') return <p class="quiet" role="status">{strings.loading}</p>;
  if (view === 'failed') {
    return <Notice tone="error">{strings.viewFailed} <button type="button" onClick={() => location.reload()}>{strings.reload}</button></Notice>;
  }
  return <view.Component />;
}

// What one token has seen is not shown to the next.
effect(() => {
  if (me.value !== null) return;
  forgetNames();
  forgetAccounts();
});
startTheme();
startSession();
const root = document.getElementById('console');
if (root !== null) render(<Console />, root);
