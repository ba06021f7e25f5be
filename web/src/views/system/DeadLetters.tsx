// Events that could have no effect, by reason.
import { count, decimal } from '../../app/format';
import { strings } from '../../app/strings';
import type { Scrape } from './prometheus';
import type { Rate } from './rates';

export function DeadLetters({ scrape, rates }: { scrape: Scrape; rates: ReadonlyMap<string, Rate> }) {
  const words = strings.system.deadLetters;
  return (
    <table class="system-table">
      <thead>
        <tr>
          <th scope="col">{words.reason}</th>
          <th scope="col" class="number">{words.sinceStart}</th>
          <th scope="col" class="number">{words.perMinute}</th>
        </tr>
      </thead>
      <tbody>
        {scrape.samples('skillscope_dead_letters_total').map(({ labels, value }) => {
          const reason = labels.get('reason') ?? '';
          const rate = rates.get(reason)?.now ?? null;
          return (
            <tr key={reason}>
              <td title={reason}>{words.reasons[reason] ?? reason}</td>
              <td class="number">{count(value)}</td>
              <td class="number">{rate === null ? strings.table.none : decimal(rate * 60)}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
