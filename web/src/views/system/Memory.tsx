// What the server's memory is for, and how much of it there may be.
import { percent, size } from '../../app/format';
import { strings } from '../../app/strings';
import type { Scrape } from './prometheus';

/** Each use with the values that count as it, and where its limit stands. */
const USES: [name: keyof typeof strings.system.memory.uses, values: string[], limit: string | null][] = [
  ['hot', ['hot_rows', 'hot_totals', 'hot_keys'], 'hot'],
  ['archived_totals', ['archived_totals'], 'archived_totals'],
  ['archived_keys', ['archived_keys'], null],
  ['request_bodies', ['request_bodies'], 'request_bodies'],
  ['reports', ['reports'], 'reports'],
  ['sql', ['sql'], 'sql'],
];

export function Memory({ scrape }: { scrape: Scrape }) {
  const words = strings.system.memory;
  const spilled = scrape.sum('skillscope_sql_spill_bytes') ?? 0;
  const rows = USES.map(([name, values, limit]) => ({
    name: words.uses[name],
    used: values.reduce((sum, use) => sum + (scrape.sum('skillscope_memory_bytes', { use }) ?? 0), 0),
    most: limit === null ? null : scrape.sum('skillscope_memory_limit_bytes', { use: limit }),
  }));
  rows.push({ name: words.spill, used: spilled, most: scrape.sum('skillscope_sql_spill_limit_bytes') });
  return (
    <table class="system-table">
      <thead>
        <tr>
          <th scope="col">{words.use}</th>
          <th scope="col" class="number">{words.used}</th>
          <th scope="col" class="number">{words.most}</th>
          <th scope="col">{words.share}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, used, most }) => (
          <tr key={name}>
            <td>{name}</td>
            <td class="number">{size(used)}</td>
            <td class="number">{most === null ? strings.table.none : size(most)}</td>
            <td>{most !== null && most > 0 && <Share share={used / most} />}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** From here on somebody is about to be turned away, or hours to leave memory. */
const NEAR = 0.9;

function Share({ share }: { share: number }) {
  return (
    <span class="system-share" data-near={share >= NEAR ? '' : undefined}>
      <span class="system-share-room" aria-hidden="true"><span style={{ width: `${Math.min(1, share) * 100}%` }} /></span>
      {percent(share)}
    </span>
  );
}
