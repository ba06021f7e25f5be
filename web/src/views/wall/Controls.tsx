// What the wall is asked to show.
import { useEffect, useState } from 'preact/hooks';
import { accounts } from '../../app/accounts';
import { address, go, intervalFor, intervalsOf, type UserType } from '../../app/address';
import { strings } from '../../app/strings';
import { me } from '../../app/session';
import { Select } from '../../parts/Select';
import { SkillPicker } from './SkillPicker';

const TIMEFRAMES = [5, 15, 30, 60, 120, 240, 480, 720, 1440];
// The divisors of a day are many: those that people say are offered, and the one that the address names.
const INTERVALS = [5, 10, 15, 20, 30, 60, 120, 240, 360, 480, 720];

export function Controls({ account, seen }: { account: string; seen: Iterable<string> }) {
  const { timeframe, interval, skillIds, userType } = address.value;
  const words = strings.wall;
  const choice = (minutes: number): { value: string; title: string } => ({ value: String(minutes), title: words.minutes(minutes) });
  const timeframes = [...new Set([...TIMEFRAMES, timeframe])].sort((a, b) => a - b);
  const intervals = intervalsOf(timeframe).filter((minutes) => INTERVALS.includes(minutes) || minutes === interval || minutes === timeframe);
  return (
    <div class="controls" role="group" aria-label={words.controls}>
      <AccountField account={account} />
      <Select
        label={words.timeframe}
        value={String(timeframe)}
        choices={timeframes.map(choice)}
        onChange={(minutes) => go({ timeframe: Number(minutes), interval: intervalFor(Number(minutes), interval) })}
      />
      {interval !== null && (
        <Select label={words.interval} value={String(interval)} choices={intervals.map(choice)} onChange={(minutes) => go({ interval: Number(minutes) })} />
      )}
      <SkillPicker account={account} skillIds={skillIds} seen={seen} onChoose={(chosen) => go({ skillIds: chosen })} />
      <Select<UserType>
        label={words.userType}
        value={userType}
        choices={(['all', 'human', 'bot'] as const).map((type) => ({ value: type, title: words.userTypes[type] }))}
        onChange={(type) => go({ userType: type })}
      />
    </div>
  );
}

/** A name that is typed, with those that are known offered; a choice where there is nothing to type. */
export function AccountField({ account }: { account: string }) {
  const [typed, setTyped] = useState(account);
  useEffect(() => setTyped(account), [account]);
  const only = me.value?.account ?? '*';
  const choose = (name: string): void => {
    if (name !== '' && name !== account) go({ account: name, skillIds: 'all' });
  };
  if (only !== '*' || accounts.value.length > 0) {
    const known = [...new Set([...(only === '*' ? accounts.value : [only]), ...(account === '' ? [] : [account])])];
    return <Select label={strings.accounts.label} value={account} choices={known.map((name) => ({ value: name, title: name }))} onChange={choose} />;
  }
  return (
    <label class="field">
      <span>{strings.accounts.label}</span>
      <input
        value={typed}
        maxLength={64}
        spellcheck={false}
        onInput={(event) => setTyped(event.currentTarget.value)}
        onChange={() => choose(typed.trim())}
        onKeyDown={(event) => event.key === 'Enter' && choose(typed.trim())}
      />
    </label>
  );
}
