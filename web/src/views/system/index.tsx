// The view of whoever runs the server: what comes in, what is stored, and what is under way.
import { timeWithSeconds, utc } from '../../app/format';
import { strings } from '../../app/strings';
import { Notice, ProblemNotice } from '../../parts/Notice';
import { Accounts } from './Accounts';
import { DeadLetters } from './DeadLetters';
import { Figures } from './Figures';
import { Memory } from './Memory';
import type { Scrape } from './prometheus';
import { Section } from './Section';
import type { Snapshot } from './source';
import { Statements } from './Statements';
import { Storage } from './Storage';
import { type Trends, useTrends } from './trends';
import { useWatch } from './watch';
import './system.css';

export default function System() {
  const { snapshot, heard, isPaused, pause, refresh } = useWatch();
  const trends = useTrends(snapshot);
  const words = strings.system;
  return (
    <div class="system">
      <header class="system-head">
        <h1>{strings.views.system}</h1>
        <p class="quiet" title={heard === null ? undefined : utc(heard)}>{heard === null ? strings.loading : isPaused ? words.paused(timeWithSeconds(heard)) : words.heard(timeWithSeconds(heard))}</p>
        <button type="button" aria-pressed={isPaused} onClick={() => pause(!isPaused)}>{words.pause}</button>
      </header>
      {snapshot !== null && trends !== null && <Parts snapshot={snapshot} trends={trends} onEnded={refresh} />}
    </div>
  );
}

function Parts({ snapshot, trends, onEnded }: { snapshot: Snapshot; trends: Trends; onEnded: () => void }) {
  const { accounts, hours, files, statements, metrics } = snapshot;
  const words = strings.system;
  const unreached = [accounts, hours, files, statements, metrics].map((told) => told?.problem ?? null).find((problem) => problem?.status === 0);
  return (
    <>
      {unreached !== undefined && unreached !== null && <ProblemNotice problem={unreached} />}
      {metrics === null && <Notice>{words.noMetrics}</Notice>}
      {metrics !== null && metrics.problem !== null && metrics.problem.status !== 0 && <ProblemNotice problem={metrics.problem} />}
      {metrics?.value != null && <Health scrape={metrics.value} />}
      {metrics?.value != null && <Figures scrape={metrics.value} trends={trends} />}
      <div class="system-sections">
        <Section title={words.accounts.title} told={accounts} wide>
          {(rows) => <Accounts accounts={rows} hours={hours.value} files={files.value} rates={trends.accounts} />}
        </Section>
        <Section title={words.statements.title} told={statements} wide>
          {(rows) => <Statements statements={rows} onEnded={onEnded} />}
        </Section>
        {metrics?.value != null && (
          <>
            <Section title={words.memory.title} told={metrics}>{(scrape) => <Memory scrape={scrape} />}</Section>
            <Section title={words.deadLetters.title} told={metrics}>{(scrape) => <DeadLetters scrape={scrape} rates={trends.deadLetters} />}</Section>
            <Section title={words.storage.title} told={metrics}>{(scrape) => <Storage scrape={scrape} />}</Section>
          </>
        )}
      </div>
    </>
  );
}

/** What must not wait until somebody reads figures. */
function Health({ scrape }: { scrape: Scrape }) {
  const words = strings.system.health;
  return (
    <>
      {scrape.sum('skillscope_ready') === 0 && <Notice tone="error">{words.notReady}</Notice>}
      {scrape.sum('skillscope_disk_accepts_writes') === 0 && <Notice tone="error">{words.disk}</Notice>}
      {(scrape.sum('skillscope_outcome_identity_breaches_total') ?? 0) > 0 && <Notice tone="error">{words.breaches}</Notice>}
    </>
  );
}
