// How the server does, in a dozen figures.
import { count, decimal, duration, percent, size } from '../../app/format';
import { strings } from '../../app/strings';
import { Figure } from '../../parts/Figure';
import type { Scrape } from './prometheus';
import { Trend } from './Trend';
import type { Trends } from './trends';

export function Figures({ scrape, trends }: { scrape: Scrape; trends: Trends }) {
  const words = strings.system.figures;
  const [behind, behindFor, behindBytes] = ['partitions', 'seconds', 'bytes'].map((unit) => scrape.sum(`skillscope_sealing_behind_${unit}`));
  const rejected = scrape.sum('skillscope_ingestion_records_total', { outcome: 'rejected' }) ?? 0;
  const quiet = scrape.sum('skillscope_quiet_accounts');
  const memory = scrape.sum('process_resident_memory_bytes');
  const started = scrape.sum('process_start_time_seconds');
  return (
    <div class="system-figures">
      <Trend label={words.stored} rate={trends.stored} note={words.sinceStart(count(scrape.sum('skillscope_segments_stored_total') ?? 0))} metric="skillscope_segments_stored_total" />
      <Trend label={words.events} rate={trends.events} note={words.sinceStart(count(scrape.sum('skillscope_ingestion_records_total', { kind: 'events', outcome: 'accepted' }) ?? 0))} metric="events_accepted" />
      <Trend label={words.rejected} rate={trends.rejected} note={words.sinceStart(count(rejected))} metric="rejected" tone={(trends.rejected.now ?? 0) > 0 ? 'warn' : 'plain'} />
      <Lag label={words.segmentLag} seconds={scrape.sum('skillscope_ingestion_lag_seconds', { kind: 'segments' })} metric="lag_segments" />
      <Lag label={words.eventLag} seconds={scrape.sum('skillscope_ingestion_lag_seconds', { kind: 'events' })} metric="lag_events" />
      <Figure label={words.quiet} value={quiet === null ? null : count(quiet)} tone={(quiet ?? 0) > 0 ? 'warn' : 'plain'} note={quiet === null ? words.quietOff : undefined} metric="skillscope_quiet_accounts" />
      <Figure
        label={words.sealing}
        value={behind === null || behind === undefined ? null : count(behind)}
        note={words.sealingNote(duration((behindFor ?? 0) * 1000), size(behindBytes ?? 0))}
        tone={(behind ?? 0) > 0 ? 'warn' : 'plain'}
        metric="skillscope_sealing_behind_partitions"
      />
      <Figure
        label={words.statements}
        value={count(scrape.sum('skillscope_sql_statements_active') ?? 0)}
        note={words.atMost(count(scrape.sum('skillscope_sql_statements_limit') ?? 0))}
        metric="skillscope_sql_statements_active"
      />
      <Figure
        label={words.requests}
        value={trends.requests.now === null ? null : decimal(trends.requests.now)}
        note={words.connections(count(scrape.sum('skillscope_connections') ?? 0))}
        metric="requests"
      />
      <Figure label={words.open} value={count(scrape.sum('skillscope_conversations_open') ?? 0)} note={words.waiting(count(scrape.sum('skillscope_conversation_events_waiting') ?? 0))} metric="skillscope_conversations_open" />
      <Figure
        label={words.memory}
        value={memory === null ? null : size(memory)}
        note={trends.processor.now === null ? undefined : words.processor(percent(trends.processor.now))}
        metric="process_resident_memory_bytes"
      />
      <Figure
        label={words.running}
        value={started === null ? null : duration(Math.max(0, Date.now() - started * 1000))}
        note={scrape.samples('skillscope_build_info')[0]?.labels.get('version')}
        metric="process_start_time_seconds"
      />
    </div>
  );
}

function Lag({ label, seconds, metric }: { label: string; seconds: number | null; metric: string }) {
  return <Figure label={label} value={seconds === null ? null : duration(seconds * 1000)} note={seconds === null ? strings.system.figures.noneYet : undefined} metric={metric} />;
}
