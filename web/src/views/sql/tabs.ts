import { batch, computed, effect, signal } from '@preact/signals';
import { isRecord, keep, kept } from './kept';

/** A tab with a statement. Its answer is not kept beyond the page. */
export interface Tab {
  id: string;
  name: string;
  text: string;
}

interface Kept {
  tabs: Tab[];
  shown: string;
}

const KEY = 'skillscope.sql.tabs';

function isTab(value: unknown): value is Tab {
  return isRecord(value) && typeof value['id'] === 'string' && typeof value['name'] === 'string' && typeof value['text'] === 'string';
}

function isKept(value: unknown): value is Kept {
  return isRecord(value) && Array.isArray(value['tabs']) && value['tabs'].length > 0 && value['tabs'].every(isTab) && typeof value['shown'] === 'string';
}

/** The tabs of the SQL view, one of which is shown; there is always one. */
export class Tabs {
  readonly list = signal<readonly Tab[]>([]);
  readonly shownId = signal('');
  readonly shown = computed(() => this.list.value.find((tab) => tab.id === this.shownId.value) ?? this.list.value[0]);
  readonly #nameOf: (number: number) => string;

  constructor(nameOf: (number: number) => string, first: string) {
    this.#nameOf = nameOf;
    const before = kept(KEY, isKept);
    if (before === null) this.open(first);
    else {
      this.list.value = before.tabs;
      this.shownId.value = before.tabs.some((tab) => tab.id === before.shown) ? before.shown : (before.tabs[0]?.id ?? '');
    }
    effect(() => keep(KEY, { tabs: this.list.value, shown: this.shownId.value }));
  }

  /** Opens a tab, in place of the shown one if nothing is written there. */
  open(text: string, name?: string): void {
    const shown = this.shown.peek();
    const isInPlace = shown !== undefined && shown.text.trim() === '' && text !== '';
    // Pages without encryption have no `randomUUID`.
    const tab = { id: `${Date.now()}-${Math.random()}`, name: name ?? (isInPlace ? shown.name : this.#freeName()), text };
    const before = this.list.peek();
    batch(() => {
      this.list.value = isInPlace ? before.map((one) => (one === shown ? tab : one)) : [...before, tab];
      this.shownId.value = tab.id;
    });
  }

  write(id: string, text: string): void {
    if (this.list.peek().find((tab) => tab.id === id)?.text !== text) this.#change(id, { text });
  }

  rename(id: string, name: string): void {
    if (name.trim() !== '') this.#change(id, { name: name.trim() });
  }

  close(id: string): void {
    const index = this.list.peek().findIndex((tab) => tab.id === id);
    const rest = this.list.peek().filter((tab) => tab.id !== id);
    this.list.value = rest;
    if (rest.length === 0) this.open('');
    else if (this.shownId.peek() === id) this.shownId.value = rest[Math.min(index, rest.length - 1)]?.id ?? '';
  }

  #change(id: string, change: Partial<Tab>): void {
    this.list.value = this.list.peek().map((tab) => (tab.id === id ? { ...tab, ...change } : tab));
  }

  #freeName(): string {
    const names = new Set(this.list.peek().map((tab) => tab.name));
    let number = 1;
    while (names.has(this.#nameOf(number))) number += 1;
    return this.#nameOf(number);
  }
}
