// The wall: an account right now, and how the last minutes went; or the same of an instant of the past.
import { useEffect, useMemo, useRef, useState } from 'preact/hooks';
import { account as lookedAt, accountsKnown, learnAccounts } from '../../app/accounts';
import { address, go } from '../../app/address';
import { dateTime, time } from '../../app/format';
import { learnNames, skillName } from '../../app/names';
import { strings } from '../../app/strings';
import { Notice, ProblemNotice } from '../../parts/Notice';
import { Behind, type Figured } from './Behind';
import { boardOf, summaryOf, type Board } from './board';
import { Charts } from './Charts';
import { AccountField, Controls } from './Controls';
import { titleOf } from './figures';
import { NowFigures, TimeframeFigures } from './Figures';
import { Heard } from './Heard';
import { Instant } from './Instant';
import type { Metric, Now, Report } from './report';
import { nowRequest, pastRequest, reportRequest } from './requests';
import { Requests } from './Requests';
import { Skills } from './Skills';
import { useAsked, useCalm, useFollowed } from './source';
import './wall.css';

export default function Wall() {
  const account = lookedAt.value;
  useEffect(() => {
    void learnAccounts();
  }, []);
  useEffect(() => learnNames(account), [account]);
  if (account !== '') return <WallOf key={account} account={account} />;
  if (!accountsKnown.value) return <p class="quiet" role="status">{strings.loading}</p>;
  return (
    <div class="which panel">
      <p>{strings.accounts.which}</p>
      <AccountField account="" />
    </div>
  );
}

function WallOf({ account }: { account: string }) {
  const where = address.value;
  const { timeframe, interval, skillIds, userType, full } = where;
  const words = strings.wall;
  const live = where.view !== 'past';
  const past = usePast(live, where.at);

  const report = live ? reportRequest(account, where) : null;
  const open = live ? nowRequest(account, where) : null;
  const then = live || past === null ? null : pastRequest(account, where, past, interval);
  const digest = (answer: Report, instant: number | null): Board => boardOf(answer, interval, instant);
  const followed = useFollowed<Report, Board>(account, report, digest);
  const asked = useAsked<Report, Board>(account, then, (answer) => digest(answer, past));
  const now = useFollowed<Now, Now>(account, open, (answer) => answer);
  const answered = live ? followed.answered : asked.answered;
  const board = answered?.value ?? null;
  const stale = answered !== null && answered.path !== (report ?? then)?.path;
  const calm = useCalm(live ? (stale ? null : (board?.instant ?? null)) : past, `${account} ${where.view} ${then?.path ?? report?.path ?? ''}`);
  const earlier = calm === null ? null : pastRequest(account, where, calm - timeframe * 60_000, null);
  const compared = useAsked<Report, ReturnType<typeof summaryOf>>(account, earlier, summaryOf);
  const before = compared.answered?.value ?? null;

  const [figured, setFigured] = useState<Figured | null>(null);
  const [showsRequests, setShowsRequests] = useState(false);
  const seen = useRef(new Set<string>());
  for (const skill of Object.keys(board?.skills ?? {})) seen.current.add(skill);
  useFullScreen(full);

  const chosen = skillIds === 'all' ? null : skillIds;
  const nameOf = (skill: string): string => skillName(account, skill) ?? `${words.skill} ${skill}`;
  function openSegments(metric: Metric, skill: string | null, start: number | null): void {
    if (board === null) return;
    let title = titleOf(metric);
    if (skill !== null) title = strings.behind.inSkill(title, nameOf(skill));
    if (start !== null && interval !== null) title = strings.behind.inInterval(title, time(start), time(start + interval * 60_000));
    setFigured({ of: 'segments', account, title, skills: skill ?? chosen, instant: board.instant, timeframe, interval, start, metric, userType });
  }
  function openConversations(title: string, waiting: boolean, skill: string | null): void {
    setFigured({ of: 'open', account, title: skill === null ? title : strings.behind.inSkill(title, nameOf(skill)), skills: skill ?? chosen, waiting });
  }

  const problem = live ? (followed.hearing.value.problem ?? now.hearing.value.problem) : asked.problem;
  const heading = live ? words.last(timeframe) : words.until(timeframe, dateTime(past ?? 0));
  const empty = board !== null && board.total.totalSkillConversationSegments === 0 && (now.answered?.value.metricsTotal.openConversations ?? 0) === 0;
  const requests = useMemo(() => [
    ...(report === null ? [] : [{ title: words.requestReport, ask: report }]),
    ...(then === null ? [] : [{ title: words.requestReport, ask: then }]),
    ...(open === null ? [] : [{ title: words.requestNow, ask: open }]),
    ...(earlier === null ? [] : [{ title: words.requestBefore, ask: earlier }]),
  ], [report?.path, then?.path, open?.path, earlier?.path]);

  return (
    <div class="wall" data-instant={board?.instant} data-live={live} data-stale={stale ? '' : undefined} aria-busy={board === null || stale}>
      <div class="wall-top">
        {full ? <h1 class="wall-name">{account} <span class="quiet">{heading}</span></h1> : <h1 class="visually-hidden">{live ? words.title : strings.views.past}</h1>}
        {!full && <Controls account={account} seen={seen.current} />}
        <div class="wall-end">
          {live && <Heard hearing={followed.hearing} />}
          {!full && <button type="button" onClick={() => setShowsRequests(true)}>{words.request}</button>}
          <button type="button" onClick={() => go({ full: !full }, 'replace')}>{full ? words.leaveFull : words.full}</button>
        </div>
      </div>
      {!live && past !== null && <Instant at={past} />}
      {problem !== null && <div class="wall-problem"><ProblemNotice problem={problem} />{board !== null && problem.passes && <p class="quiet small">{words.hearing.kept}</p>}</div>}
      <div class="wall-figures">
        {live && <NowFigures now={now.answered?.value ?? null} onOpen={(title, waiting) => openConversations(title, waiting, null)} />}
        <TimeframeFigures board={board} before={before?.metricsTotal ?? null} heading={heading} onOpen={(metric) => openSegments(metric, null, null)} />
      </div>
      {empty && live && <Notice>{words.nothingEver}</Notice>}
      {board !== null && (interval === null || board.intervals.length === 0
        ? <Notice>{words.noIntervals}</Notice>
        : <Charts key={full ? 'full' : 'page'} board={board} interval={interval} onOpen={(metric, start) => openSegments(metric, null, start)} />)}
      {board !== null && (
        <Skills account={account} board={board} now={now.answered?.value ?? null} live={live} before={before?.skillsMetrics ?? null} rowHeight={full ? 36 : 32}
          onSegments={(skill, metric) => openSegments(metric, skill, null)}
          onConversations={(skill, waiting) => openConversations(waiting ? words.waiting : words.open, waiting, skill)} />
      )}
      {figured !== null && <Behind figured={figured} onClose={() => setFigured(null)} />}
      {showsRequests && <Requests requests={requests} onClose={() => setShowsRequests(false)} />}
    </div>
  );
}

/** The instant of the past; an address that names none is of the minute in which it was opened. */
function usePast(live: boolean, at: number | null): number | null {
  useEffect(() => {
    if (!live && at === null) go({ at: Math.floor(Date.now() / 60_000) * 60_000 }, 'replace');
  }, [live, at]);
  return live ? null : at;
}

/** Fills the screen where the browser lets it: it does after a click, and the layout is that of a full screen in any case. */
function useFullScreen(full: boolean): void {
  useEffect(() => {
    if (full && document.fullscreenElement === null && navigator.userActivation?.isActive) void document.documentElement.requestFullscreen?.().catch(() => undefined);
    if (!full && document.fullscreenElement !== null) void document.exitFullscreen().catch(() => undefined);
    const left = (): void => {
      if (document.fullscreenElement === null && full) go({ full: false }, 'replace');
    };
    document.addEventListener('fullscreenchange', left);
    return () => document.removeEventListener('fullscreenchange', left);
  }, [full]);
}
