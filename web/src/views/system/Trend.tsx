// A figure that is a rate, with the line of its last minutes.
import { decimal } from '../../app/format';
import { strings } from '../../app/strings';
import { Sparkline } from '../../parts/Sparkline';
import type { Rate } from './rates';

interface Props {
  label: string;
  rate: Rate;
  note: string;
  metric: string;
  tone?: 'plain' | 'warn';
}

export function Trend({ label, rate, note, metric, tone = 'plain' }: Props) {
  const perMinute = rate.history.map((each) => each * 60);
  return (
    <div class="figure" data-tone={tone}>
      <span class="figure-label">{label}</span>
      <span class="system-trend">
        <span class="figure-value" data-metric={metric}>{rate.now === null ? strings.table.none : decimal(rate.now * 60)}</span>
        <Sparkline values={perMinute} width={90} height={32} />
      </span>
      <span class="figure-note">{note}</span>
    </div>
  );
}
