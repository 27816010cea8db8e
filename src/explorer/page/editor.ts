import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap } from '@codemirror/commands';
import { SQLDialect, sql } from '@codemirror/lang-sql';
import { bracketMatching, HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import { type Diagnostic, setDiagnostics } from '@codemirror/lint';
import { Compartment, EditorState, type Extension, Prec } from '@codemirror/state';
import { drawSelection, EditorView, keymap, lineNumbers, placeholder } from '@codemirror/view';
import { tags } from '@lezer/highlight';
import type { Language } from './api.ts';
import { errorPlace, type TextPosition } from './error-place.ts';
import type { Tables } from './schema.ts';

const SQL_WORDS =
  'select from where group by order limit offset having as and or not in is null like ilike between case when then else end join left right full inner outer cross on using union all except intersect distinct with over partition window rows range asc desc nulls first last cast interval timestamp date explain analyze show tables columns values true false exists unnest';
const SQL_FUNCTIONS =
  'date_bin date_bin_gapfill date_bin_wallclock now count sum avg min max median stddev var approx_percentile_cont approx_median first_value last_value selector_first selector_last selector_min selector_max locf interpolate round floor ceil abs coalesce nullif concat lower upper length substr replace to_timestamp extract date_trunc date_part row_number lag lead rank dense_rank last_cache distinct_cache tz array_agg string_agg percentile_cont difference derivative';
const INFLUXQL_WORDS =
  'select from where group by order limit offset slimit soffset fill tz time as and or show databases measurements field tag keys values series cardinality retention policies with key in asc desc null none previous linear into explain drop delete create database on';
const INFLUXQL_FUNCTIONS =
  'count sum mean min max median mode spread stddev first last percentile top bottom sample integral distinct derivative non_negative_derivative difference non_negative_difference moving_average cumulative_sum elapsed holt_winters abs round floor ceil now';

const dialects: Readonly<Record<Language, SQLDialect>> = {
  sql: SQLDialect.define({
    keywords: SQL_WORDS,
    builtin: SQL_FUNCTIONS,
    types: 'bigint double varchar boolean timestamp int float text',
    identifierQuotes: '"',
  }),
  influxql: SQLDialect.define({ keywords: INFLUXQL_WORDS, builtin: INFLUXQL_FUNCTIONS, types: '', identifierQuotes: '"' }),
};

/** Colours come from the style sheet, light or dark. */
const highlight = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword], color: 'var(--keyword)', fontWeight: '600' },
  { tag: [tags.string, tags.special(tags.string)], color: 'var(--string)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--digit)' },
  { tag: tags.standard(tags.name), color: 'var(--function)' },
  { tag: [tags.comment, tags.lineComment, tags.blockComment], color: 'var(--muted)', fontStyle: 'italic' },
]);

export interface EditorActions {
  run(): void;
  explain(): void;
}

/** The editor of statements: words of the language, names of the schema, errors at their place. */
export class Editor {
  readonly #view: EditorView;
  readonly #language = new Compartment();
  #tables: Tables = new Map();
  #chosen: Language = 'sql';

  constructor(parent: HTMLElement, text: string, actions: EditorActions) {
    const keys = Prec.highest(
      keymap.of([
        { key: 'Mod-Enter', run: () => this.#act(actions.run) },
        { key: 'Mod-Shift-e', run: () => this.#act(actions.explain) },
      ]),
    );
    const nonce = document.querySelector('meta[name=style-nonce]')?.getAttribute('content') ?? '';
    this.#view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          EditorView.cspNonce.of(nonce),
          keys,
          lineNumbers(),
          history(),
          drawSelection(),
          bracketMatching(),
          closeBrackets(),
          autocompletion({ activateOnTyping: true, icons: false }),
          syntaxHighlighting(highlight),
          this.#language.of(this.#support()),
          keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, ...defaultKeymap]),
          placeholder('SELECT * FROM … — Ctrl+Enter runs it, Tab leaves the editor'),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ 'aria-label': 'Statement' }),
        ],
      }),
    });
  }

  get text(): string {
    return this.#view.state.doc.toString();
  }

  set text(text: string) {
    this.#view.dispatch({ changes: { from: 0, to: this.#view.state.doc.length, insert: text } });
  }

  focus(): void {
    this.#view.focus();
  }

  /** Puts a text where the cursor is. */
  insert(text: string): void {
    this.#view.dispatch(this.#view.state.replaceSelection(text));
    this.focus();
  }

  /** Completes names of these tables from now on. */
  setSchema(tables: Tables): void {
    this.#tables = tables;
    this.#reconfigure();
  }

  setLanguage(language: Language): void {
    this.#chosen = language;
    this.#reconfigure();
  }

  /** Underlines the part of the statement that a message is about; undefined takes it away. */
  showError(failure: { readonly message: string; readonly position: TextPosition | undefined } | undefined): void {
    const place = failure === undefined ? undefined : errorPlace(this.text, failure.message, failure.position);
    const found: Diagnostic[] = place === undefined ? [] : [{ ...place, severity: 'error', message: failure?.message ?? '' }];
    this.#view.dispatch(setDiagnostics(this.#view.state, found));
  }

  #act(action: () => void): boolean {
    action();
    return true;
  }

  #support(): Extension {
    const schema = Object.fromEntries([...this.#tables].map(([name, columns]) => [name, columns.map((column) => column.name)]));
    return sql({ dialect: dialects[this.#chosen], schema, upperCaseKeywords: true });
  }

  #reconfigure(): void {
    this.#view.dispatch({ effects: this.#language.reconfigure(this.#support()) });
  }
}
