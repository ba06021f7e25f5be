import { acceptCompletion, autocompletion, closeBrackets, closeBracketsKeymap, closeCompletion, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { PostgreSQL, sql } from '@codemirror/lang-sql';
import { bracketMatching, ensureSyntaxTree, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { Compartment, EditorState, type Extension, Prec, StateEffect, StateField } from '@codemirror/state';
import { Decoration, type DecorationSet, drawSelection, EditorView, highlightSpecialChars, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import { completionsOf, type Schema, namespaceOf } from './schema';
import type { Place } from './statement';

const MONO = "ui-monospace, 'Cascadia Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";

// The colours are custom properties of the page, so that the theme is told once; they reach into the editor's shadow tree.
const LOOK = EditorView.theme({
  '&': { color: 'var(--text)', backgroundColor: 'var(--surface)', height: '100%', fontSize: '0.875rem' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: MONO, lineHeight: '1.5', overflow: 'auto' },
  '.cm-content': { padding: '0.5rem 0', caretColor: 'var(--text)' },
  '.cm-cursor': { borderLeftColor: 'var(--text)' },
  '.cm-gutters': { color: 'var(--quiet)', backgroundColor: 'var(--surface)', border: 'none' },
  '.cm-placeholder': { color: 'var(--quiet)' },
  '&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground': {
    backgroundColor: 'var(--chosen)',
  },
  '&.cm-focused .cm-matchingBracket': { backgroundColor: 'var(--chosen)', outline: 'none' },
  '.cm-fault': {
    textDecoration: 'underline wavy var(--error)',
    textDecorationSkipInk: 'none',
    textUnderlineOffset: '0.2em',
    backgroundColor: 'var(--error-ground)',
  },
  '.cm-tooltip': { color: 'var(--text)', backgroundColor: 'var(--surface)', border: '1px solid var(--line)', borderRadius: '4px' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul': { fontFamily: MONO, maxHeight: '16em' },
  '.cm-tooltip.cm-tooltip-autocomplete > ul > li[aria-selected]': { color: 'var(--on-accent)', backgroundColor: 'var(--accent)' },
  '.cm-completionDetail': { fontStyle: 'normal', opacity: '0.85', marginLeft: '1em' },
  '.cm-completionInfo': { maxWidth: '26em', padding: '0.4rem 0.6rem' },
});

const COLOURS = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier], color: 'var(--accent)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--good)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--line-second)' },
  { tag: [tags.lineComment, tags.blockComment], color: 'var(--quiet)', fontStyle: 'italic' },
  { tag: [tags.typeName, tags.standard(tags.name)], color: 'var(--warn)' },
]);

const setFault = StateEffect.define<Place | null>();

/** The place of the fault is marked until something is written. */
const fault = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let next = transaction.docChanged ? Decoration.none : marks;
    for (const effect of transaction.effects) if (effect.is(setFault)) next = marked(effect.value, transaction.state.doc.length);
    return next;
  },
  provide: (field) => EditorView.decorations.from(field),
});

function marked(place: Place | null, length: number): DecorationSet {
  if (place === null || place.from >= place.to || place.to > length) return Decoration.none;
  return Decoration.set([Decoration.mark({ class: 'cm-fault' }).range(place.from, place.to)]);
}

export interface EditorOptions {
  label: string;
  hint: string;
  /** Told what is written, and in which tab. */
  onChange: (tab: string, text: string) => void;
  onRun: () => void;
}

/**
 * The editor of statements. It stands in a shadow tree: there CodeMirror keeps its styles in adopted style sheets, and the page
 * forbids the style element that it would write into the document itself.
 */
export class SqlEditor {
  readonly #view: EditorView;
  readonly #language = new Compartment();
  readonly #options: EditorOptions;
  // States of tabs, so that each has its own history of changes.
  readonly #states = new Map<string, EditorState>();
  #schema: Schema = { tables: [], functions: [] };
  #shown = '';

  constructor(host: HTMLElement, options: EditorOptions) {
    this.#options = options;
    const root = host.shadowRoot ?? host.attachShadow({ mode: 'open' });
    this.#view = new EditorView({ state: this.#stateOf(''), root, parent: root });
  }

  /** Shows the statement of a tab, where the tab was left. */
  show(tab: string, text: string): void {
    if (this.#shown !== '') this.#states.set(this.#shown, this.#view.state);
    const kept = this.#states.get(tab);
    this.#view.setState(kept !== undefined && kept.doc.toString() === text ? kept : this.#stateOf(text));
    // A state of before may have the words of a schema of before.
    this.complete(this.#schema);
    this.#shown = tab;
  }

  /** Forgets what was kept of a tab that is closed. */
  forget(tab: string): void {
    this.#states.delete(tab);
    if (this.#shown === tab) this.#shown = '';
  }

  complete(schema: Schema): void {
    this.#schema = schema;
    this.#view.dispatch({ effects: this.#language.reconfigure(languageOf(schema)) });
  }

  mark(place: Place | null): void {
    const effects: StateEffect<unknown>[] = [setFault.of(place)];
    if (place !== null && place.to <= this.#view.state.doc.length) effects.push(EditorView.scrollIntoView(place.from));
    this.#view.dispatch({ effects });
  }

  /** What is to run, and where it begins: what is selected, or the statement that the cursor is in. */
  chosen(): { text: string; from: number } {
    const { state } = this.#view;
    const { from, to, empty, head } = state.selection.main;
    if (!empty) return { text: state.sliceDoc(from, to), from };
    const statements = ensureSyntaxTree(state, state.doc.length, 100)?.topNode.getChildren('Statement') ?? [];
    if (statements.length < 2) return { text: state.doc.toString(), from: 0 };
    const chosen = statements.find((statement) => head <= statement.to) ?? statements[statements.length - 1];
    return chosen === undefined ? { text: state.doc.toString(), from: 0 } : { text: state.sliceDoc(chosen.from, chosen.to), from: chosen.from };
  }

  /** Puts a text in place of what is selected. */
  insert(text: string): void {
    this.#view.dispatch(this.#view.state.replaceSelection(text));
    this.#view.focus();
  }

  destroy(): void {
    this.#view.destroy();
  }

  #stateOf(text: string): EditorState {
    return EditorState.create({ doc: text, extensions: this.#extensions() });
  }

  #extensions(): Extension[] {
    const { label, hint, onChange, onRun } = this.#options;
    const run = (view: EditorView): boolean => {
      closeCompletion(view);
      onRun();
      return true;
    };
    return [
      lineNumbers(),
      highlightSpecialChars(),
      history(),
      drawSelection(),
      bracketMatching(),
      closeBrackets(),
      autocompletion({ maxRenderedOptions: 60 }),
      EditorView.lineWrapping,
      EditorView.contentAttributes.of({
        'aria-label': label,
        'aria-multiline': 'true',
        tabindex: '0',
        // Otherwise Chromium writes the style of what was replaced into it, which the policy of the page forbids.
        contenteditable: 'plaintext-only',
      }),
      placeholder(hint),
      syntaxHighlighting(COLOURS),
      LOOK,
      fault,
      this.#language.of(languageOf(this.#schema)),
      // Tab takes a completion where there is one, and leaves the editor where there is none.
      Prec.highest(keymap.of([{ key: 'Mod-Enter', run }, { key: 'Tab', run: acceptCompletion }])),
      keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, ...completionKeymap]),
      EditorView.updateListener.of((update) => {
        if (update.docChanged) onChange(this.#shown, update.state.doc.toString());
      }),
    ];
  }
}

function languageOf(schema: Schema): Extension {
  return [
    sql({ dialect: PostgreSQL, schema: namespaceOf(schema), defaultSchema: 'public' }),
    PostgreSQL.language.data.of({ autocomplete: completionsOf(schema) }),
  ];
}
