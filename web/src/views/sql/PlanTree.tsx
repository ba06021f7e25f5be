// A plan as a tree: each step with its inputs below it, how long it computed and how many rows it gave.
import { useState } from 'preact/hooks';
import { decimal, percent } from '../../app/format';
import { strings } from '../../app/strings';
import type { Plan, Step } from './plan';

export function PlanTree({ plan }: { plan: Plan }) {
  const [closed, setClosed] = useState<ReadonlySet<number>>(new Set());
  const words = strings.sql.plan;
  const isMeasured = plan.steps.some((step) => step.measures.length > 0 || step.rows !== null);

  function turn(index: number): void {
    const next = new Set(closed);
    if (!next.delete(index)) next.add(index);
    setClosed(next);
  }

  return (
    <div class="sql-plan" tabIndex={0} role="region" aria-label={words.title}>
      <table>
        <caption class="visually-hidden">{words.title}</caption>
        <thead>
          <tr>
            <th scope="col">{words.step}</th>
            {isMeasured && <th scope="col" class="number">{words.rows}</th>}
            {isMeasured && <th scope="col" class="number">{words.time}</th>}
            {isMeasured && <th scope="col">{words.share}</th>}
          </tr>
        </thead>
        <tbody>
          {inSight(plan, closed).map(([step, index]) => (
            <tr key={index}>
              <td>
                <div class="sql-step" style={{ '--depth': String(Math.min(step.depth, 20)) }}>
                  {step.below > 0 ? (
                    <button type="button" class="plain" aria-expanded={!closed.has(index)} aria-label={words.inputs(step.name)} onClick={() => turn(index)}>
                      {closed.has(index) ? '▸' : '▾'}
                    </button>
                  ) : <span class="sql-leaf" aria-hidden="true">·</span>}
                  <div>
                    <strong>{step.name}</strong> {step.detail !== '' && <span class="quiet sql-detail">{step.detail}</span>}
                    {step.measures.length > 0 && <Measures step={step} />}
                  </div>
                </div>
              </td>
              {isMeasured && <td class="number">{step.rows ?? ''}</td>}
              {isMeasured && <td class="number">{step.nanoseconds === null ? '' : nanoseconds(step.nanoseconds)}</td>}
              {isMeasured && <td>{step.nanoseconds !== null && plan.total > 0 && <Share of={step.nanoseconds} total={plan.total} longest={plan.longest} />}</td>}
            </tr>
          ))}
        </tbody>
      </table>
      {isMeasured && <p class="quiet small">{words.note}</p>}
    </div>
  );
}

/** The steps that stand below no closed one. */
function inSight(plan: Plan, closed: ReadonlySet<number>): [Step, number][] {
  const shown: [Step, number][] = [];
  for (let index = 0; index < plan.steps.length; index += 1) {
    const step = plan.steps[index];
    if (step === undefined) break;
    shown.push([step, index]);
    if (closed.has(index)) index += step.below;
  }
  return shown;
}

function Measures({ step }: { step: Step }) {
  return (
    <details>
      <summary class="quiet small">{strings.sql.plan.measures}</summary>
      <dl class="sql-measures">
        {step.measures.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
      </dl>
    </details>
  );
}

function Share({ of, total, longest }: { of: number; total: number; longest: number }) {
  return (
    <div class="sql-share">
      <span class="sql-share-bar" aria-hidden="true" style={{ width: `${longest === 0 ? 0 : (of / longest) * 60}%` }} />
      <span>{percent(of / total)}</span>
    </div>
  );
}

function nanoseconds(time: number): string {
  if (time < 1e3) return `${decimal(time)} ns`;
  if (time < 1e6) return `${decimal(time / 1e3)} µs`;
  if (time < 1e9) return `${decimal(time / 1e6)} ms`;
  return `${decimal(time / 1e9)} s`;
}
