// What stands around every view: the name, the views, the colours and who looks.
import type { ComponentChildren } from 'preact';
import icon from './icon.svg';
import { address, go, hrefOf, type View } from './address';
import { me, signOut } from './session';
import { strings } from './strings';
import { theme, type Theme } from './theme';

interface Props {
  views: View[];
  view: View;
  children: ComponentChildren;
}

export function Frame({ views, view, children }: Props) {
  const full = address.value.full && (view === 'wall' || view === 'past');
  return (
    <div class={full ? 'frame full' : 'frame'} data-view={view}>
      {!full && <Head views={views} view={view} />}
      <main id="content" tabIndex={-1}>{children}</main>
    </div>
  );
}

function Head({ views, view }: Omit<Props, 'children'>) {
  return (
    <header class="head">
      <a class="skip" href="#content">{strings.skip}</a>
      <span class="brand"><img src={icon} alt="" width="24" height="24" />{strings.product}</span>
      <nav aria-label={strings.navigation}>
        {views.map((one) => (
          <a
            key={one}
            href={hrefOf({ view: one })}
            aria-current={one === view ? 'page' : undefined}
            onClick={(event) => {
              if (event.ctrlKey || event.metaKey || event.shiftKey) return;
              event.preventDefault();
              go({ view: one });
            }}
          >
            {strings.views[one]}
          </a>
        ))}
      </nav>
      <div class="head-end">
        <label class="field inline">
          <span class="visually-hidden">{strings.theme.label}</span>
          <select value={theme.value} onChange={(event) => (theme.value = event.currentTarget.value as Theme)} title={strings.theme.label}>
            {(['system', 'light', 'dark'] as const).map((one) => <option key={one} value={one}>{strings.theme[one]}</option>)}
          </select>
        </label>
        {me.value?.tokens && (
          <button type="button" onClick={signOut} title={strings.signIn.who(me.value.name ?? '')}>{strings.signIn.out}</button>
        )}
      </div>
    </header>
  );
}
