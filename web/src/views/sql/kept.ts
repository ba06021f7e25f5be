/** What is kept in this browser under a name; anything that is not as it should be counts as nothing. */
export function kept<T>(key: string, isIt: (value: unknown) => value is T): T | null {
  try {
    const value: unknown = JSON.parse(localStorage.getItem(key) ?? 'null');
    return isIt(value) ? value : null;
  } catch {
    return null;
  }
}

/** Keeps a value. A browser that keeps nothing, or has no room, costs no more than that. */
export function keep(key: string, value: unknown): void {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // There is nothing that the page could do about it, and all else works without.
  }
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
