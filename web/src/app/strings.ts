// Every English word that the page says. A view's own stand under its name.

const plural = new Intl.PluralRules('en');
const some = new Intl.NumberFormat();

/** A number with its noun. */
function of(number: number, one: string, many: string): string {
  return `${some.format(number)} ${plural.select(number) === 'one' ? one : many}`;
}

export const strings = {
  product: 'skillscope',
  close: 'Close',
  cancel: 'Cancel',
  copy: 'Copy',
  copied: 'Copied',
  loading: 'Loading …',
  problem: 'Something went wrong',
  unreachable: 'The server does not answer. It is asked again until it does.',
  skip: 'Skip to the content',
  noView: 'The token that you signed in with opens no view of this page.',
  viewFailed: 'This part of the page could not be loaded. The server may have been upgraded: load the page again.',
  reload: 'Load again',
  notOpen: (scope: string) => `This needs a token with the scope ${scope}.`,

  views: { wall: 'Wall', past: 'Past', sql: 'SQL', system: 'System' },
  navigation: 'Views',
  theme: { label: 'Colours', system: 'As the system', light: 'Light', dark: 'Dark' },

  signIn: {
    title: 'Sign in',
    lead: 'This server asks for a token. “skillscope token add” makes one.',
    token: 'Token',
    keep: 'Keep it until this window is closed',
    keepHint: 'Otherwise it is forgotten as soon as the page is left or loaded again.',
    submit: 'Sign in',
    refused: 'The token is not known, or it was revoked or has expired.',
    show: 'Show',
    out: 'Sign out',
    who: (name: string) => `Signed in as ${name}`,
  },

  table: {
    none: '–',
    empty: 'No rows',
    copied: (rows: number, cell: boolean) => (cell ? 'Cell copied' : `${of(rows, 'row', 'rows')} copied`),
  },

  outcomes: {
    interactive: 'Interactive',
    nonResponsiveConsumer: 'Consumer did not answer',
    abandoned: 'Abandoned',
    nonResponsiveAgent: 'Agent did not answer',
  },

  sql: {},

  system: {},
};
