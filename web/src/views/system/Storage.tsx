// What is stored, and whether its maintenance keeps up.
import { count, duration, size } from '../../app/format';
import { strings } from '../../app/strings';
import type { Scrape } from './prometheus';

export function Storage({ scrape }: { scrape: Scrape }) {
  const words = strings.system.storage;
  const number = (name: string, labels: Record<string, string> = {}): string => count(scrape.sum(`skillscope_${name}`, labels) ?? 0);
  const syncs = scrape.sum('skillscope_journal_sync_duration_seconds_count') ?? 0;
  const entries: [string, string][] = [
    [words.inMemory, number('segments', { location: 'memory' })],
    [words.onDisk, number('segments', { location: 'disk' })],
    [words.unsealed, number('segments_unsealed')],
    [words.partitions, number('partitions')],
    [words.files, number('archive_files')],
    [words.fileBytes, size(scrape.sum('skillscope_archive_bytes') ?? 0)],
    [words.compaction, words.filesOf(number('compaction_behind_files'), size(scrape.sum('skillscope_compaction_behind_bytes') ?? 0))],
    [words.failures, count((scrape.sum('skillscope_sealing_failures_total') ?? 0) + (scrape.sum('skillscope_compaction_failures_total') ?? 0))],
    [words.quarantined, number('files_quarantined')],
    [words.lost, number('files_lost_total')],
    [words.journal, size(scrape.sum('skillscope_journal_bytes') ?? 0)],
    [words.sync, syncs === 0 ? strings.table.none : duration(((scrape.sum('skillscope_journal_sync_duration_seconds_sum') ?? 0) / syncs) * 1000)],
  ];
  return (
    <dl class="system-facts">
      {entries.map(([name, value]) => <div key={name}><dt>{name}</dt><dd>{value}</dd></div>)}
    </dl>
  );
}
