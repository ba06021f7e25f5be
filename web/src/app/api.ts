// The one way to the server: requests with the token, problem documents as errors, streams that come back by themselves.
import { signal } from '@preact/signals';

/** The token that requests show, and why the server refused it last; the session sets both. */
export const credentials = {
  token: signal<string | null>(null),
  refused: signal<Problem | null>(null),
};

/** A request as the page makes it and as `curl` can make it again. */
export interface Ask {
  /** Path and query, below the origin of the page. */
  path: string;
  method?: 'GET' | 'POST';
  /** Sent as JSON. */
  body?: unknown;
  accept?: string;
}

interface ProblemDocument {
  type?: string;
  title?: string;
  status?: number;
  detail?: string;
  parameter?: string;
  value?: string;
}

/** What went wrong, in the server's words (RFC 9457), or that it was not reached: then `status` is 0. */
export class Problem extends Error {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly parameter: string | undefined;
  readonly value: string | undefined;

  constructor(document: ProblemDocument) {
    super(document.detail ?? document.title ?? '');
    this.type = document.type ?? 'about:blank';
    this.title = document.title ?? '';
    this.status = document.status ?? 0;
    this.parameter = document.parameter;
    this.value = document.value;
  }

  /** Whether asking the same again, later, may be answered. */
  get passes(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** An error of any kind as a problem. */
export function problemOf(error: unknown): Problem {
  if (error instanceof Problem) return error;
  return new Problem({ status: 0, title: 'unreachable', detail: error instanceof Error ? error.message : String(error) });
}

/** Asks, and gives the response once it is known to be a good one. Throws a `Problem`, or an `AbortError`. */
export async function ask(request: Ask, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {};
  const token = credentials.token.value;
  if (token !== null) headers['authorization'] = `Bearer ${token}`;
  if (request.accept !== undefined) headers['accept'] = request.accept;
  if (request.body !== undefined) headers['content-type'] = 'application/json';
  let response: Response;
  try {
    response = await fetch(request.path, {
      method: request.method ?? 'GET',
      headers,
      cache: 'no-store',
      credentials: 'omit',
      ...(request.body === undefined ? {} : { body: JSON.stringify(request.body) }),
      ...(signal === undefined ? {} : { signal }),
    });
  } catch (error) {
    if (signal?.aborted) throw error;
    throw problemOf(error);
  }
  if (response.ok) return response;
  const problem = await problemIn(response);
  // A token that was replaced meanwhile is not refused by what its predecessor is told.
  if (problem.status === 401 && token === credentials.token.value) credentials.refused.value = problem;
  throw problem;
}

/** Asks for a JSON document. The caller says what the contract says that it is. */
export async function askJson<T>(request: Ask, signal?: AbortSignal): Promise<T> {
  const response = await ask(request, signal);
  try {
    return (await response.json()) as T;
  } catch (error) {
    if (signal?.aborted) throw error;
    throw problemOf(error);
  }
}

/** Runs a statement and gives its rows as objects. */
export function askSql<Row>(query: string, parameters: unknown[] = [], account?: string, signal?: AbortSignal): Promise<Row[]> {
  return askJson<Row[]>(sqlRequest(query, parameters, account), signal);
}

/** The request that `askSql` makes. */
export function sqlRequest(query: string, parameters: unknown[] = [], account?: string): Ask {
  const body = { query, parameters, format: 'json', ...(account === undefined ? {} : { account }) };
  return { path: '/v1/sql', method: 'POST', body };
}

async function problemIn(response: Response): Promise<Problem> {
  try {
    const document = (await response.json()) as ProblemDocument;
    return new Problem({ ...document, status: response.status });
  } catch {
    return new Problem({ status: response.status, title: response.statusText });
  }
}

/** A problem document that came in another way than as an answer: in a stream. */
export function problemFrom(json: string): Problem {
  try {
    return new Problem(JSON.parse(json) as ProblemDocument);
  } catch {
    return new Problem({ status: 0, detail: json });
  }
}

/** The request as a command. The token is a variable: a command that is pasted somewhere gives nothing away. */
export function curlOf(request: Ask): string {
  const words = ['curl'];
  if (request.accept === 'text/event-stream') words.push('-N');
  if (credentials.token.value !== null) words.push('-H "Authorization: Bearer $SKILLSCOPE_TOKEN"');
  if (request.accept !== undefined) words.push('-H', quoted(`Accept: ${request.accept}`));
  if (request.body !== undefined) words.push('--json', quoted(JSON.stringify(request.body)));
  words.push(quoted(new URL(request.path, location.origin).href));
  return words.join(' ');
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}
