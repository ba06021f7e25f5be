// What came of a statement: a table, a chart, or the tree of a plan, and the ways to take it along.
import { useEffect, useMemo, useState } from 'preact/hooks';
import { type Problem, problemOf } from '../../app/api';
import { count, duration } from '../../app/format';
import { strings } from '../../app/strings';
import { arranged, asTsv, copyText, DataTable, type Sort } from '../../parts/DataTable';
import { Notice, ProblemNotice } from '../../parts/Notice';
import { type Answer, MOST_ROWS } from './answer';
import { download } from './download';
import { PlanTree } from './PlanTree';
import { ResultChart } from './ResultChart';
import type { Run } from './runs';
import { tableColumns } from './table';
import type { Row } from './value';

interface Props {
  run: Run | undefined;
  name: string;
  account: string;
}

export function Result({ run, name, account }: Props) {
  if (run === undefined) return <p class="quiet sql-empty">{strings.sql.nothingYet}</p>;
  if (run.state === 'running') return <Progress run={run} />;
  if (run.state === 'failed') return <ProblemNotice problem={run.problem} />;
  return <Shown answer={run.answer} statement={run.statement} name={name} account={account} />;
}

function Progress({ run }: { run: Run & { state: 'running' } }) {
  const [now, setNow] = useState(performance.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(performance.now()), 100);
    return () => clearInterval(timer);
  }, []);
  const rows = run.gathered.rows.length;
  return (
    <div class="sql-progress">
      <progress aria-label={strings.sql.runs} />
      <p>{strings.sql.progress(duration(Math.max(0, now - run.since)), count(rows), rows)}</p>
    </div>
  );
}

type Face = 'table' | 'chart' | 'plan';

function Shown({ answer, statement, name, account }: { answer: Answer; statement: string; name: string; account: string }) {
  const faces: Face[] = answer.plans.length > 0 ? ['plan', 'table'] : ['table', 'chart'];
  const [chosen, setFace] = useState<Face>('table');
  const [filter, setFilter] = useState('');
  const [sort, setSort] = useState<Sort | null>(null);
  useEffect(() => {
    setFace(answer.plans.length > 0 ? 'plan' : 'table');
    setFilter('');
    setSort(null);
  }, [answer]);
  const face = faces.includes(chosen) ? chosen : (faces[0] ?? 'table');
  const columns = useMemo(() => tableColumns(answer.columns, answer.rows), [answer]);
  const rows = answer.rows as Row[];
  const words = strings.sql;
  if (answer.columns.length === 0) return <p class="quiet sql-empty">{answer.isStopped ? words.stoppedBefore : words.done}</p>;
  return (
    <section class="sql-shown" aria-label={words.answer}>
      <div class="sql-bar">
        <div class="sql-faces" role="group" aria-label={words.faces.label}>
          {faces.map((one) => <button key={one} type="button" aria-pressed={one === face} onClick={() => setFace(one)}>{words.faces[one]}</button>)}
        </div>
        {face === 'table' && (
          <input type="search" class="sql-filter" placeholder={words.filter} aria-label={words.filter} value={filter} onInput={(event) => setFilter(event.currentTarget.value)} />
        )}
        <Takeaways
          statement={statement}
          name={name}
          account={account}
          copied={() => asTsv(arranged(rows, columns, sort, filter), columns, true)}
        />
      </div>
      {answer.isCut && <Notice tone="warn">{words.cut(count(MOST_ROWS))}</Notice>}
      {answer.isStopped && <Notice tone="warn">{words.stopped(count(rows.length), rows.length)}</Notice>}
      {face === 'table' && (
        <div class="sql-table"><DataTable columns={columns} rows={rows} sort={sort} onSort={setSort} filter={filter} caption={words.answer} rowHeight={28} /></div>
      )}
      {face === 'chart' && <ResultChart key={answer.milliseconds} answer={answer} />}
      {face === 'plan' && answer.plans.map((plan) => <PlanTree key={plan.title} plan={plan} />)}
    </section>
  );
}

function Takeaways({ statement, name, account, copied }: { statement: string; name: string; account: string; copied: () => string }) {
  const [busy, setBusy] = useState<'csv' | 'parquet' | null>(null);
  const [problem, setProblem] = useState<Problem | null>(null);
  const [said, say] = useState('');
  const words = strings.sql;

  async function take(format: 'csv' | 'parquet'): Promise<void> {
    setBusy(format);
    setProblem(null);
    try {
      await download(statement, account, format, name);
    } catch (error) {
      setProblem(problemOf(error));
    }
    setBusy(null);
  }

  return (
    <>
      <div class="sql-take">
        <button type="button" onClick={() => void copyText(copied()).then(() => say(strings.copied))}>{strings.copy}</button>
        {(['csv', 'parquet'] as const).map((format) => (
          <button key={format} type="button" disabled={busy !== null} title={words.downloadHint} onClick={() => void take(format)}>
            {busy === format ? words.downloading : words.download[format]}
          </button>
        ))}
        <span class="quiet small" role="status">{said}</span>
      </div>
      {problem !== null && <div class="sql-take-problem"><ProblemNotice problem={problem} /></div>}
    </>
  );
}
