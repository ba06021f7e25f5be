// What skills and agents are called, where somebody has said so.
import { signal } from '@preact/signals';
import { askJson } from './api';

interface Names {
  skills: Record<string, string>;
  agents: Record<string, string>;
}

const known = signal<Record<string, Names>>({});
const asked = new Set<string>();

/** Asks for an account's names, once; whoever shows one is drawn again when they come. */
export function learnNames(account: string): void {
  if (account === '' || asked.has(account)) return;
  asked.add(account);
  askJson<Names>({ path: `/v1/accounts/${encodeURIComponent(account)}/names` }).then(
    (names) => {
      known.value = { ...known.value, [account]: names };
    },
    // Numbers do as well. The next who shows the account asks again.
    () => asked.delete(account),
  );
}

/** The names are forgotten when somebody else signs in. */
export function forgetNames(): void {
  asked.clear();
  known.value = {};
}

/** All names of an account; the same object as long as none is learnt. */
export function namesOf(account: string): Names | null {
  return known.value[account] ?? null;
}

/** A skill's name; null where it has none. */
export function skillName(account: string, skill: string): string | null {
  return known.value[account]?.skills[skill] ?? null;
}

/** An agent's name; null where it has none. */
export function agentName(account: string, agent: string): string | null {
  return known.value[account]?.agents[agent] ?? null;
}

/** The skills that have names. */
export function namedSkills(account: string): string[] {
  return Object.keys(known.value[account]?.skills ?? {});
}
