const FILES = import.meta.glob<string>('../../../../tests/sql/questions/*.sql', { query: '?raw', import: 'default', eager: true });

export interface Question {
  /** The file's name, which is the name of its tab. */
  name: string;
  /** What it asks: the comment that the file begins with, up to the question mark. */
  title: string;
  statement: string;
}

/** The questions of the documentation, from the files that are tested there. */
export const QUESTIONS: readonly Question[] = Object.entries(FILES)
  .map(([path, statement]) => ({ name: nameOf(path), title: titleOf(statement), statement }))
  .sort((a, b) => a.title.localeCompare(b.title));

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1).replace(/\.sql$/, '').replaceAll('_', ' ');
}

function titleOf(statement: string): string {
  const comment = /^(?:--[^\n]*\n)+/.exec(statement)?.[0] ?? '';
  const text = comment.replaceAll(/^--\s?/gm, '').replaceAll('\n', ' ').trim();
  const end = text.indexOf('?');
  return end < 0 ? text : text.slice(0, end + 1);
}
