// Counters as rates: those of the metrics, and how many segments each account gets.
import { useMemo, useRef } from 'preact/hooks';
import { type Rate, Rates } from './rates';
import type { Snapshot } from './source';

export interface Trends {
  stored: Rate;
  events: Rate;
  rejected: Rate;
  requests: Rate;
  processor: Rate;
  deadLetters: ReadonlyMap<string, Rate>;
  /** Segments, by account. */
  accounts: ReadonlyMap<string, Rate>;
}

/** Rates from one snapshot to the next; each snapshot is taken once. */
export function useTrends(snapshot: Snapshot | null): Trends | null {
  const rates = useRef(new Rates());
  return useMemo(() => (snapshot === null ? null : trendsOf(rates.current, snapshot)), [snapshot]);
}

function trendsOf(rates: Rates, snapshot: Snapshot): Trends {
  const { at } = snapshot;
  // What was told before is no new point of a line.
  const scrape = snapshot.metrics?.problem === null ? snapshot.metrics.value : null;
  const counter = (name: string, labels: Record<string, string> = {}): Rate =>
    rates.take(`${name} ${Object.values(labels).join(' ')}`, scrape?.sum(name, labels) ?? null, at);
  return {
    stored: counter('skillscope_segments_stored_total'),
    events: counter('skillscope_ingestion_records_total', { kind: 'events', outcome: 'accepted' }),
    rejected: counter('skillscope_ingestion_records_total', { outcome: 'rejected' }),
    requests: counter('skillscope_http_requests_total'),
    processor: counter('process_cpu_seconds_total'),
    deadLetters: new Map(
      (scrape?.samples('skillscope_dead_letters_total') ?? []).map(({ labels }) => {
        const reason = labels.get('reason') ?? '';
        return [reason, counter('skillscope_dead_letters_total', { reason })];
      }),
    ),
    accounts: new Map(
      (snapshot.accounts.problem === null ? (snapshot.accounts.value ?? []) : []).map((row) => [row.account_id, rates.take(`account ${row.account_id}`, row.hot_rows + row.archived_rows, at)]),
    ),
  };
}
