// Who looks: the token, kept in memory or for the browser's session, and what it opens.
import { computed, effect, signal } from '@preact/signals';
import { askJson, credentials, problemOf, type Problem } from './api';

export type Scope = 'report' | 'ingest' | 'sql' | 'admin';

/** What `/v1/me` tells. */
export interface Me {
  /** Whether the server asks for tokens at all. */
  tokens: boolean;
  name: string | null;
  /** The account that the token opens; `*` for all. */
  account: string;
  scopes: Scope[];
}

const KEPT = 'skillscope.token';

/** Null until the server has said who asks, and while nobody is signed in. */
export const me = signal<Me | null>(null);

/** Why nobody is signed in, or why the server could not be asked; null while neither. */
export const hindrance = signal<Problem | null>(null);

/** Whether the server has been asked and wants a token that it has not seen yet. */
export const signedOut = computed(() => me.value === null && hindrance.value?.status === 401);

export function may(scope: Scope): boolean {
  return me.value?.scopes.includes(scope) ?? false;
}

/** Begins with the token that the browser's session has kept, if any. */
export function startSession(): void {
  credentials.token.value = sessionStorage.getItem(KEPT);
  // A token that was good may be revoked while the page is open: whoever hears of it first tells it here.
  effect(() => {
    const refused = credentials.refused.value;
    if (refused === null) return;
    credentials.refused.value = null;
    forget();
    hindrance.value = refused;
  });
  void askWho();
}

/** Tries a token. Whether it was good, `me` and `hindrance` tell. */
export async function signIn(token: string, keep: boolean): Promise<void> {
  credentials.token.value = token;
  await askWho();
  if (keep && me.value !== null) sessionStorage.setItem(KEPT, token);
}

export function signOut(): void {
  forget();
  void askWho();
}

function forget(): void {
  credentials.token.value = null;
  sessionStorage.removeItem(KEPT);
  me.value = null;
}

async function askWho(): Promise<void> {
  for (let pause = 1_000; ; pause = Math.min(pause * 2, 15_000)) {
    try {
      me.value = await askJson<Me>({ path: '/v1/me' });
      hindrance.value = null;
      return;
    } catch (error) {
      const problem = problemOf(error);
      // Of a token that is refused, the effect above tells, after it has been forgotten.
      if (problem.status !== 401) hindrance.value = problem;
      if (!problem.passes) return;
      await new Promise((resolve) => setTimeout(resolve, pause));
    }
  }
}
