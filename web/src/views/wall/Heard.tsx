// How the figures come, and when anything was last heard.
import type { Signal } from '@preact/signals';
import { useEffect, useState } from 'preact/hooks';
import { duration, timeWithSeconds, utc } from '../../app/format';
import type { Hearing } from '../../app/follow';
import { strings } from '../../app/strings';

export function Heard({ hearing }: { hearing: Signal<Hearing> }) {
  const { how, heard } = hearing.value;
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  const words = strings.wall.hearing;
  const seconds = heard === null ? null : Math.max(0, Math.round((now - heard) / 1_000));
  return (
    <p class="heard" data-how={how} title={heard === null ? undefined : `${timeWithSeconds(heard)}, ${utc(heard)}`}>
      <i class="heard-light" aria-hidden="true" />
      {/* Only a change of how it comes is read out, not every second. */}
      <b role="status">{words[how]}</b>
      <span class="quiet">{seconds === null ? words.never : seconds < 2 ? words.justNow : words.ago(duration(seconds * 1_000))}</span>
    </p>
  );
}
