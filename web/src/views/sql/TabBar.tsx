import { useState } from 'preact/hooks';
import { strings } from '../../app/strings';
import { runs } from './runs';
import type { Tab, Tabs } from './tabs';

interface Props {
  tabs: Tabs;
  onClose: (id: string) => void;
}

export function TabBar({ tabs, onClose }: Props) {
  const [renamed, setRenamed] = useState<string | null>(null);
  const words = strings.sql;
  return (
    <nav class="sql-tabs" aria-label={words.tabs}>
      <ul>
        {tabs.list.value.map((tab) => (
          <li key={tab.id} ref={tab.id === tabs.shown.value?.id ? bringIntoSight : undefined} data-shown={tab.id === tabs.shown.value?.id ? '' : undefined}>
            {renamed === tab.id ? (
              <NameField tab={tab} onDone={(name) => {
                if (name !== null) tabs.rename(tab.id, name);
                setRenamed(null);
              }} />
            ) : (
              <button
                type="button"
                class="plain sql-tab"
                aria-current={tab.id === tabs.shown.value?.id ? 'true' : undefined}
                title={words.tabHint}
                onClick={() => (tabs.shownId.value = tab.id)}
                onDblClick={() => setRenamed(tab.id)}
                onKeyDown={(event) => {
                  if (event.key === 'F2') setRenamed(tab.id);
                  else if (event.key === 'Delete') onClose(tab.id);
                }}
              >
                {tab.name}
                {runs.value[tab.id]?.state === 'running' && <span class="quiet" title={words.runs}> …</span>}
              </button>
            )}
            <button type="button" class="plain sql-tab-close" aria-label={words.closeTab(tab.name)} onClick={() => onClose(tab.id)}>✕</button>
          </li>
        ))}
      </ul>
      <button type="button" class="plain" onClick={() => tabs.open('')} aria-label={words.newTab} title={words.newTab}>+</button>
    </nav>
  );
}

function bringIntoSight(entry: HTMLLIElement | null): void {
  entry?.scrollIntoView({ block: 'nearest', inline: 'nearest' });
}

function NameField({ tab, onDone }: { tab: Tab; onDone: (name: string | null) => void }) {
  return (
    <input
      class="sql-tab-name"
      aria-label={strings.sql.tabName}
      value={tab.name}
      ref={(field) => field?.focus()}
      onFocus={(event) => event.currentTarget.select()}
      onBlur={(event) => onDone(event.currentTarget.value)}
      onKeyDown={(event) => {
        if (event.key === 'Enter') onDone(event.currentTarget.value);
        else if (event.key === 'Escape') onDone(null);
      }}
    />
  );
}
