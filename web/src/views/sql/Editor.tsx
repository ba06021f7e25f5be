import { useEffect, useRef } from 'preact/hooks';
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
  const latest = useRef({ tab, onChange, onRun });
  latest.current = { tab, onChange, onRun };

  useEffect(() => {
    if (host.current === null) return;
    const made = new SqlEditor(host.current, {
      label: strings.sql.statement,
      hint: strings.sql.hint,
      onChange: (text) => latest.current.onChange(latest.current.tab.id, text),
      onRun: () => latest.current.onRun(),
    });
    editor.current = made;
    handle(made);
    return () => {
      handle(null);
      made.destroy();
    };
  }, []);
  useEffect(() => editor.current?.show(tab.id, tab.text), [tab.id]);
  // A question that takes the place of an empty tab's text does not come from the editor.
  useEffect(() => editor.current?.take(tab.text), [tab.text]);
  useEffect(() => editor.current?.complete(schema), [schema]);
  useEffect(() => editor.current?.mark(fault), [fault, tab.id]);

  return <div class="sql-editor" ref={host} />;
}
