// The state of the page is its address: whoever has the link sees the same.
import { computed, signal } from '@preact/signals';

export type View = 'wall' | 'past' | 'sql' | 'system';
export type UserType = 'all' | 'human' | 'bot';

/** What the address says, with the names of the report's parameters. */
export interface Address {
  view: View;
  /** Empty where none is named. */
  account: string;
  /** Minutes. */
  timeframe: number;
  /** Minutes; null where the timeframe is too short to be divided. */
  interval: number | null;
  /** `all`, or numbers separated by commas. */
  skillIds: string;
  userType: UserType;
  /** The instant at which the past is looked at, in milliseconds since the epoch. */
  at: number | null;
  /** Whether the wall fills the screen. */
  full: boolean;
  /** The column that the skills are sorted by, after `-` where the largest comes first. */
  sort: string;
}

export const LONGEST_TIMEFRAME = 1440;
export const SHORTEST_INTERVAL = 5;
const VIEWS: View[] = ['wall', 'past', 'sql', 'system'];
const USER_TYPES: UserType[] = ['all', 'human', 'bot'];

const search = signal(location.search);
addEventListener('popstate', () => {
  search.value = location.search;
});

/** What the address says now. */
export const address = computed<Address>(() => read(new URLSearchParams(search.value)));

/** Any other parameter of the address, for a view that has its own. */
export function parameter(name: string): string | null {
  return new URLSearchParams(search.value).get(name);
}

/** Goes to a changed address. `replace` leaves no trace in the history: for what changes all the time. */
export function go(change: Partial<Address>, how: 'push' | 'replace' = 'push'): void {
  goTo(hrefOf(change), how);
}

/** Sets a parameter of a view's own; null takes it out. */
export function setParameter(name: string, value: string | null, how: 'push' | 'replace' = 'replace'): void {
  const parameters = new URLSearchParams(search.value);
  if (value === null) parameters.delete(name);
  else parameters.set(name, value);
  goTo(`/?${parameters}`, how);
}

/** The address with a change, for a link. */
export function hrefOf(change: Partial<Address>): string {
  const next = { ...address.peek(), ...change };
  const parameters = new URLSearchParams();
  parameters.set('view', next.view);
  if (next.account !== '') parameters.set('account', next.account);
  parameters.set('timeframe', String(next.timeframe));
  const interval = intervalFor(next.timeframe, next.interval);
  if (interval !== null) parameters.set('interval', String(interval));
  if (next.skillIds !== 'all') parameters.set('skillIds', next.skillIds);
  if (next.userType !== 'all') parameters.set('userType', next.userType);
  if (next.at !== null && next.view === 'past') parameters.set('at', new Date(next.at).toISOString());
  if (next.full && (next.view === 'wall' || next.view === 'past')) parameters.set('full', 'true');
  if (next.sort !== '') parameters.set('sort', next.sort);
  return `/?${parameters}`;
}

/** The intervals into which a timeframe can be divided, in minutes. */
export function intervalsOf(timeframe: number): number[] {
  const intervals: number[] = [];
  for (let minutes = SHORTEST_INTERVAL; minutes <= timeframe; minutes += 1) {
    if (timeframe % minutes === 0) intervals.push(minutes);
  }
  return intervals;
}

/** The interval that is wanted where it divides the timeframe, and otherwise one that makes about two dozen of it. */
export function intervalFor(timeframe: number, wanted: number | null): number | null {
  const possible = intervalsOf(timeframe);
  if (wanted !== null && possible.includes(wanted)) return wanted;
  return possible.find((minutes) => timeframe / minutes <= 24) ?? null;
}

function goTo(href: string, how: 'push' | 'replace'): void {
  if (href === location.pathname + location.search) return;
  if (how === 'push') history.pushState(null, '', href);
  else history.replaceState(null, '', href);
  search.value = location.search;
}

function read(parameters: URLSearchParams): Address {
  const timeframe = wholeNumber(parameters.get('timeframe'), 1, LONGEST_TIMEFRAME) ?? 60;
  const at = parameters.get('at');
  return {
    view: oneOf(VIEWS, parameters.get('view')) ?? 'wall',
    account: parameters.get('account') ?? '',
    timeframe,
    interval: intervalFor(timeframe, wholeNumber(parameters.get('interval'), SHORTEST_INTERVAL, LONGEST_TIMEFRAME)),
    skillIds: /^\d+(,\d+)*$/.test(parameters.get('skillIds') ?? '') ? (parameters.get('skillIds') ?? 'all') : 'all',
    userType: oneOf(USER_TYPES, parameters.get('userType')) ?? 'all',
    at: at === null ? null : instantIn(at),
    full: parameters.get('full') === 'true',
    sort: parameters.get('sort') ?? '',
  };
}

function oneOf<T extends string>(choices: readonly T[], text: string | null): T | null {
  return choices.find((choice) => choice === text) ?? null;
}

function wholeNumber(text: string | null, least: number, most: number): number | null {
  if (text === null || !/^\d{1,6}$/.test(text)) return null;
  const number = Number(text);
  return number >= least && number <= most ? number : null;
}

/** RFC 3339, or milliseconds since the epoch, as the server takes it. */
function instantIn(text: string): number | null {
  const instant = /^\d+$/.test(text) ? Number(text) : Date.parse(text);
  return Number.isFinite(instant) ? instant : null;
}
