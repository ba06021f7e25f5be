// One large figure with its name, and the way to what is behind it.
interface Props {
  label: string;
  /** Null while it is not known. */
  value: string | null;
  /** A line below: what it is of, or how it changed. */
  note?: string | undefined;
  title?: string | undefined;
  tone?: 'plain' | 'warn' | undefined;
  onOpen?: (() => void) | undefined;
  /** The name of the figure in the answer, by which tests find it. */
  metric: string;
}

export function Figure({ label, value, note, title, tone = 'plain', onOpen, metric }: Props) {
  const inside = (
    <>
      <span class="figure-label">{label}</span>
      <span class="figure-value" data-metric={metric}>{value ?? '–'}</span>
      <span class="figure-note">{note ?? '\u00a0'}</span>
    </>
  );
  return onOpen === undefined ? (
    <div class="figure" data-tone={tone} title={title}>{inside}</div>
  ) : (
    <button type="button" class="figure" data-tone={tone} title={title} onClick={onOpen}>{inside}</button>
  );
}
