// Server-sent events of a stream that `fetch` reads: `EventSource` cannot show a token.

export interface ServerEvent {
  /** What `event:` says; empty for a comment, which is only a sign of life. */
  name: string;
  id: string;
  data: string;
}

/** The events of a stream, as they come. */
export async function* eventsIn(body: ReadableStream<Uint8Array>): AsyncGenerator<ServerEvent> {
  let event = { name: 'message', id: '', data: [] as string[] };
  for await (const line of linesIn(body)) {
    if (line === '') {
      if (event.data.length > 0) yield { ...event, data: event.data.join('\n') };
      event = { name: 'message', id: event.id, data: [] };
    } else if (line.startsWith(':')) {
      yield { name: '', id: event.id, data: '' };
    } else {
      const colon = line.indexOf(':');
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? '' : line.slice(colon + (line[colon + 1] === ' ' ? 2 : 1));
      if (field === 'event') event.name = value;
      else if (field === 'id') event.id = value;
      else if (field === 'data') event.data.push(value);
    }
  }
}

// A report may be megabytes in one line: what has come of a line is kept in pieces, and joined once.
async function* linesIn(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let pieces: string[] = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      const text = decoder.decode(value, { stream: true });
      let from = 0;
      for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', from)) {
        pieces.push(text.slice(from, end));
        const line = pieces.join('');
        pieces = [];
        from = end + 1;
        yield line.endsWith('\r') ? line.slice(0, -1) : line;
      }
      if (from < text.length) pieces.push(text.slice(from));
    }
  } finally {
    void reader.cancel().catch(() => undefined);
  }
}
