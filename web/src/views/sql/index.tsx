// The view of the analyst: statements in tabs, and what comes of them.
import { useEffect, useRef, useState } from 'preact/hooks';
import { accounts, accountsKnown, learnAccounts } from '../../app/accounts';
import { curlOf } from '../../app/api';
import { address, go, parameter, setParameter } from '../../app/address';
import { count, duration } from '../../app/format';
import { me } from '../../app/session';
import { strings } from '../../app/strings';
import { copyText } from '../../parts/DataTable';
import { Select } from '../../parts/Select';
import { requestOf } from './answer';
import { Editor } from './Editor';
import type { SqlEditor } from './codemirror';
import { QUESTIONS } from './questions';
import { Result } from './Result';
import { changes, forget, runs, start, stop } from './runs';
import { askSchema, type Schema } from './schema';
import { Side } from './Side';
import { explained, isEmpty, trimmed } from './statement';
import { TabBar } from './TabBar';
import { Tabs } from './tabs';
import './sql.css';

const tabs = new Tabs(strings.sql.tab, QUESTIONS.find((question) => question.name === 'conversations per skill')?.statement ?? '');

export default function Sql() {
  const editor = useRef<SqlEditor | null>(null);
  const account = me.value?.account === '*' ? address.value.account : '';
  const schema = useSchema(account);
  const tab = tabs.shown.value;
  useEffect(openAddressed, []);
  if (tab === undefined) return null;
  const shown = runs.value[tab.id];

  function execute(explains: boolean): void {
    const current = tabs.shown.peek();
    const chosen = editor.current?.chosen();
    if (current === undefined || chosen === undefined || isEmpty(chosen.text)) return;
    const ahead = explains && explained(chosen.text) !== chosen.text ? explained('') : '';
    void start({ tab: current.id, text: chosen.text, account, from: chosen.from, ahead });
  }

  function open(statement: string, name: string | undefined, isRun: boolean): void {
    const before = tabs.list.peek().find((one) => one.text === statement);
    const left = tabs.shown.peek()?.id;
    if (before === undefined) tabs.open(statement, name);
    else tabs.shownId.value = before.id;
    // An empty tab gives its place away.
    if (left !== undefined && !tabs.list.peek().some((one) => one.id === left)) forget(left);
    const opened = tabs.shown.peek();
    if (isRun && opened !== undefined) void start({ tab: opened.id, text: statement, account, from: 0, ahead: '' });
  }

  function close(id: string): void {
    forget(id);
    editor.current?.forget(id);
    tabs.close(id);
  }

  return (
    <div class="sql">
      <h1 class="visually-hidden">{strings.views.sql}</h1>
      <Side schema={schema} onOpen={open} onInsert={(text) => editor.current?.insert(text)} />
      <div class="sql-main">
        <div class="sql-desk panel">
          <TabBar tabs={tabs} onClose={close} />
          <Editor
            tab={tab}
            schema={schema}
            fault={shown?.state === 'failed' ? shown.place : null}
            onChange={(id, text) => tabs.write(id, text)}
            onRun={() => execute(false)}
            handle={(made) => (editor.current = made)}
          />
          <div class="sql-bar">
            {shown?.state === 'running' ? (
              <button type="button" class="danger" onClick={() => stop(tab.id)}>{strings.cancel}</button>
            ) : (
              <button type="button" class="main" title={strings.sql.runHint} onClick={() => execute(false)} disabled={isEmpty(tab.text)}>{strings.sql.run}</button>
            )}
            <button type="button" title={strings.sql.explainHint} onClick={() => execute(true)} disabled={isEmpty(tab.text) || shown?.state === 'running'}>{strings.sql.explain}</button>
            <CopyCurl statement={trimmed(tab.text)} account={account} />
            {me.value?.account === '*' && <AccountChoice account={account} />}
            <Outcome id={tab.id} />
          </div>
        </div>
        <div class="sql-result panel"><Result run={shown} name={tab.name} account={account} /></div>
      </div>
    </div>
  );
}

/** A statement in the address is one that another view leads to; it is opened once, and no part of what is to be kept. */
function openAddressed(): void {
  const statement = parameter('query');
  if (statement === null) return;
  tabs.open(statement);
  setParameter('query', null);
}

function useSchema(account: string): Schema {
  const [schema, setSchema] = useState<Schema>({ tables: [], functions: [] });
  const change = changes.value;
  useEffect(() => {
    const ending = new AbortController();
    // Without it there is no completion, and the statements that are run say what is wrong.
    askSchema(account === '' ? undefined : account, ending.signal).then(setSchema, () => undefined);
    return () => ending.abort();
  }, [account, change]);
  return schema;
}

function AccountChoice({ account }: { account: string }) {
  useEffect(() => {
    if (!accountsKnown.value) void learnAccounts();
  }, []);
  const known = account === '' || accounts.value.includes(account) ? accounts.value : [account, ...accounts.value];
  const choices = [{ value: '', title: strings.sql.allAccounts }, ...known.map((one) => ({ value: one, title: one }))];
  return <Select label={strings.sql.account} value={account} choices={choices} onChange={(chosen) => go({ account: chosen })} />;
}

function CopyCurl({ statement, account }: { statement: string; account: string }) {
  const [said, say] = useState('');
  return (
    <>
      <button type="button" title={strings.sql.curlHint} onClick={() => void copyText(curlOf(requestOf(statement, account, 'csv'))).then(() => say(strings.copied))}>
        {strings.sql.curl}
      </button>
      <span class="quiet small" role="status">{said}</span>
    </>
  );
}

/** How the last statement of the tab ended, for those who look and for those who listen. */
function Outcome({ id }: { id: string }) {
  const run = runs.value[id];
  const words = strings.sql;
  const text =
    run === undefined ? ''
    : run.state === 'running' ? words.runs
    : run.state === 'failed' ? words.outcomes.failed
    : words.rowsIn(count(run.answer.rows.length), run.answer.rows.length, duration(run.answer.milliseconds));
  return <span class="sql-outcome quiet" role="status">{text}</span>;
}
