// The statements that run, each with a way to end it.
import { useState } from 'preact/hooks';
import { type Problem, problemOf } from '../../app/api';
import { count, dateTime, duration, utc } from '../../app/format';
import { strings } from '../../app/strings';
import { ProblemNotice } from '../../parts/Notice';
import { endStatement, type StatementRow } from './source';

interface Props {
  statements: readonly StatementRow[];
  onEnded: () => void;
}

export function Statements({ statements, onEnded }: Props) {
  const [asked, setAsked] = useState<number | null>(null);
  const [said, say] = useState('');
  const [problem, setProblem] = useState<Problem | null>(null);
  const words = strings.system.statements;

  async function kill(id: number): Promise<void> {
    setAsked(null);
    setProblem(null);
    try {
      say((await endStatement(id)) ? words.ended : words.gone);
      onEnded();
    } catch (error) {
      setProblem(problemOf(error));
    }
  }

  return (
    <>
      {problem !== null && <ProblemNotice problem={problem} />}
      <p class="visually-hidden" role="status">{said}</p>
      {statements.length === 0 ? <p class="quiet">{words.none}</p> : (
        <div class="system-scroll" tabIndex={0} role="region" aria-label={words.title}>
          <table class="system-table">
            <thead>
              <tr>
                <th scope="col">{words.columns.query}</th>
                <th scope="col">{words.columns.account}</th>
                <th scope="col">{words.columns.door}</th>
                <th scope="col">{words.columns.state}</th>
                <th scope="col" class="number">{words.columns.elapsed}</th>
                <th scope="col" class="number">{words.columns.read}</th>
                <th scope="col" class="number">{words.columns.returned}</th>
                <th scope="col"><span class="visually-hidden">{words.kill}</span></th>
              </tr>
            </thead>
            <tbody>
              {statements.map((row) => (
                <tr key={row.id}>
                  <td><code class="system-query" title={row.query}>{row.query}</code></td>
                  <td>{row.account_id ?? words.allAccounts}</td>
                  <td>{row.door}</td>
                  <td>{words.states[row.state] ?? row.state}</td>
                  <td class="number" title={`${dateTime(Date.parse(row.started))}, ${utc(Date.parse(row.started))}`}>{duration(row.elapsed_ms)}</td>
                  <td class="number">{count(row.rows_read)}</td>
                  <td class="number">{count(row.rows_returned)}</td>
                  <td class="number">
                    {/* Asked once more: it is somebody's work that ends. */}
                    <button
                      type="button"
                      class="danger"
                      aria-label={`${asked === row.id ? words.really : words.kill}: ${row.query.slice(0, 60)}`}
                      onClick={() => (asked === row.id ? void kill(row.id) : setAsked(row.id))}
                      onBlur={() => setAsked(null)}
                    >
                      {asked === row.id ? words.really : words.kill}
                    </button>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </>
  );
}
