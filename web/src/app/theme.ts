// Light or dark: as the system has it, unless somebody chose.
import { effect, signal } from '@preact/signals';

export type Theme = 'system' | 'light' | 'dark';

const KEPT = 'skillscope.theme';
const dark = matchMedia('(prefers-color-scheme: dark)');
const systemIsDark = signal(dark.matches);
dark.addEventListener('change', () => {
  systemIsDark.value = dark.matches;
});

export const theme = signal<Theme>(kept());

/** What is shown; charts, which are drawn in colours and not in properties, are drawn again when it changes. */
export function shownTheme(): 'light' | 'dark' {
  if (theme.value !== 'system') return theme.value;
  return systemIsDark.value ? 'dark' : 'light';
}

export function startTheme(): void {
  effect(() => {
    document.documentElement.dataset['theme'] = shownTheme();
    if (theme.value === 'system') localStorage.removeItem(KEPT);
    else localStorage.setItem(KEPT, theme.value);
  });
}

/** A colour of the theme, for a canvas. */
export function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function kept(): Theme {
  const text = localStorage.getItem(KEPT);
  return text === 'light' || text === 'dark' ? text : 'system';
}
