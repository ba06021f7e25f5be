/** What there is of a statement before its first word: blanks, comments and parentheses. */
const BEFORE = /^(?:\s|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/|\()*/;
const QUERIES = new Set(['select', 'with', 'from', 'values', 'table']);

/** The first word, in small letters. */
export function firstWord(statement: string): string {
  const rest = statement.slice(BEFORE.exec(statement)?.[0].length ?? 0);
  return /^\w+/.exec(rest)?.[0].toLowerCase() ?? '';
}

/** Whether `describe` can tell the columns of its answer. */
export function isQuery(statement: string): boolean {
  return QUERIES.has(firstWord(statement));
}

/** The statement without what follows it: blanks and semicolons, which the server takes at most one of. */
export function trimmed(statement: string): string {
  return statement.replace(/[\s;]+$/, '');
}

export function isEmpty(statement: string): boolean {
  return (BEFORE.exec(statement)?.[0].length ?? 0) >= trimmed(statement).length;
}

/** The statement that tells how `statement` is computed; one that explains itself stays as it is. */
export function explained(statement: string): string {
  return firstWord(statement) === 'explain' ? statement : `explain analyze ${statement}`;
}

/** The range of a statement that a fault is about. */
export interface Place {
  from: number;
  to: number;
}

/**
 * Where in the statement the fault is that a problem's text tells: by line and column, or by the name of what there is none of.
 * `ahead` is how many characters were sent in front of the statement's own text.
 */
export function placeOf(detail: string, statement: string, ahead = 0): Place | null {
  const told = /Line: (\d+), Column:? (\d+)/.exec(detail);
  if (told !== null) {
    const line = Number(told[1]);
    const column = Number(told[2]) - (line === 1 ? ahead : 0);
    return wordAt(statement, offsetOf(statement, line, column));
  }
  const name = /(?:No field named |Invalid function |table )['"]?([\w."-]+?)['"]?(?:\.?(?:\s|$))/.exec(detail)?.[1];
  return name === undefined ? null : nameIn(statement, name);
}

function offsetOf(statement: string, line: number, column: number): number {
  let start = 0;
  for (let passed = 1; passed < line; passed += 1) {
    const end = statement.indexOf('\n', start);
    if (end < 0) break;
    start = end + 1;
  }
  return Math.max(0, Math.min(statement.length, start + column - 1));
}

function wordAt(statement: string, from: number): Place | null {
  const word = /^(?:\w+|[^\s\w])/.exec(statement.slice(from))?.[0];
  if (word !== undefined) return { from, to: from + word.length };
  // The fault is that something is missing at the end: the last word before it is marked.
  const before = /\S+\s*$/.exec(statement.slice(0, from));
  return before === null ? null : { from: before.index, to: before.index + before[0].trimEnd().length };
}

/** The name as it is written, or its last part, where the server put the schema in front of it. */
function nameIn(statement: string, name: string): Place | null {
  const parts = name.replaceAll('"', '').split('.');
  for (let first = 0; first < parts.length; first += 1) {
    const wanted = parts.slice(first).join('.');
    const pattern = new RegExp(`(?<![\\w.])${wanted.replace(/[.*+?^${}()|[\]\\-]/g, "\\$&")}(?!\\w)`, 'i');
    const found = pattern.exec(statement);
    if (found !== null) return { from: found.index, to: found.index + found[0].length };
  }
  return null;
}
