// Which accounts there are to look at, and which one is looked at.
import { computed, signal } from '@preact/signals';
import { address } from './address';
import { askSql } from './api';
import { may, me } from './session';

/** The accounts that this token may see, as far as that can be known: it takes the scope `sql` to ask for all. */
export const accounts = signal<string[]>([]);

/** The account that the address names, or else the first there is; empty where none is known. */
export const account = computed(() => {
  if (address.value.account !== '') return address.value.account;
  const own = me.value?.account ?? '*';
  return own === '*' ? (accounts.value[0] ?? '') : own;
});

/** Whether it has been asked which accounts there are. */
export const accountsKnown = signal(false);

/** The accounts are forgotten when somebody else signs in. */
export function forgetAccounts(): void {
  accounts.value = [];
  accountsKnown.value = false;
}

/** Asks which accounts there are, once somebody has signed in. */
export async function learnAccounts(): Promise<void> {
  const own = me.value?.account ?? '*';
  if (own !== '*') accounts.value = [own];
  else if (may('sql')) {
    try {
      const rows = await askSql<{ account_id: string }>('select account_id from system.accounts order by account_id');
      accounts.value = rows.map((row) => row.account_id);
    } catch {
      // The list is a help for typing. Without it, the name is typed.
    }
  }
  accountsKnown.value = true;
}
