import { useEffect, useLayoutEffect, useRef } from 'preact/hooks';
import { strings } from '../../app/strings';
import { SqlEditor } from './codemirror';
import type { Schema } from './schema';
import type { Place } from './statement';
import type { Tab } from './tabs';

interface Props {
  tab: Tab;
  schema: Schema;
  fault: Place | null;
  onChange: (id: string, text: string) => void;
  onRun: () => void;
  /** Given the editor once it is there, and null when it has gone. */
  handle: (editor: SqlEditor | null) => void;
}

export function Editor({ tab, schema, fault, onChange, onRun, handle }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const editor = useRef<SqlEditor | null>(null);
  // The editor is made once, and what it calls is always the latest.
  const latest = useRef({ onChange, onRun });
  latest.current = { onChange, onRun };

  useLayoutEffect(() => {
    if (host.current === null) return;
    const made = new SqlEditor(host.current, {
      label: strings.sql.statement,
      hint: strings.sql.hint,
      onChange: (id, text) => latest.current.onChange(id, text),
      onRun: () => latest.current.onRun(),
    });
    editor.current = made;
    handle(made);
    return () => {
      handle(null);
      made.destroy();
    };
  }, []);
  useLayoutEffect(() => editor.current?.show(tab.id, tab.text), [tab.id]);
  useEffect(() => editor.current?.complete(schema), [schema]);
  useEffect(() => editor.current?.mark(fault), [fault, tab.id]);

  return <div class="sql-editor" ref={host} />;
}
