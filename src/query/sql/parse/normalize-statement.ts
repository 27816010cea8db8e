/** The statement gate: queries and catalog statements pass, everything else gets InfluxDB 3 Core's refusal. */
import { notImplemented, planError } from '../types/errors.ts';
import type { Statement } from './ast.ts';
import { identifier, objectName } from './names.ts';
import { normalizeQuery } from './normalize-query.ts';
import { has, isTrue, listOf, nodeOf, objectOf, onlyMembers, type Raw, type RawObject, textOf } from './raw.ts';

const refusals: Readonly<Record<string, string>> = {
  CreateView: 'DDL not supported: CreateView',
  CreateSchema: 'DDL not supported: CreateCatalogSchema',
  CreateDatabase: 'DDL not supported: CreateCatalog',
  CreateIndex: 'DDL not supported: CreateIndex',
  CreateFunction: 'DDL not supported: CreateFunction',
  DropFunction: 'DDL not supported: DropFunction',
  Insert: 'DML not supported: Insert Into',
  Update: 'DML not supported: Update',
  Delete: 'DML not supported: Delete',
  Truncate: 'DML not supported: Truncate',
  Copy: 'DML not supported: COPY',
  Set: 'Statement not supported: SetVariable',
  Reset: 'Statement not supported: ResetVariable',
  Prepare: 'Statement not supported: Prepare',
  Execute: 'Statement not supported: Execute',
  Deallocate: 'Statement not supported: Deallocate',
  StartTransaction: 'Statement not supported: TransactionStart',
  Commit: 'Statement not supported: TransactionEnd',
  Rollback: 'Statement not supported: TransactionEnd',
};

/** `printed` gives the statement as the parser prints it, for the refusal text. */
export function normalizeStatement(raw: Raw, printed: () => string): Statement {
  const { kind, body } = nodeOf(raw);
  switch (kind) {
    case 'Query':
      return { kind: 'query', query: normalizeQuery(body), explain: 'no' };
    case 'Explain':
      return explain(objectOf(body), printed);
    case 'ExplainTable':
      return { kind: 'describe-table', parts: objectName(objectOf(body)['table_name']) };
    case 'ShowTables': {
      const show = objectOf(body);
      onlyMembers(objectOf(show['show_options']), 'SHOW TABLES', []);
      onlyMembers(show, 'SHOW TABLES', ['show_options']);
      return { kind: 'show-tables' };
    }
    case 'ShowColumns':
      return showColumns(objectOf(body));
    case 'ShowVariable':
      return showSettings(objectOf(body));
    default:
      throw refusal(kind, body, printed);
  }
}

function explain(raw: RawObject, printed: () => string): Statement {
  const inner = normalizeStatement(raw['statement'], printed);
  if (inner.kind !== 'query' || inner.explain !== 'no') throw planError('EXPLAIN is only supported for queries');
  const alias = raw['describe_alias'];
  if (alias === 'Describe' || alias === 'Desc') return { kind: 'describe-query', query: inner.query };
  onlyMembers(raw, 'EXPLAIN', ['describe_alias', 'analyze', 'verbose', 'statement', 'format']);
  return { kind: 'query', query: inner.query, explain: isTrue(raw['analyze']) ? 'analyze' : 'plan' };
}

function showColumns(raw: RawObject): Statement {
  onlyMembers(raw, 'SHOW COLUMNS', ['extended', 'full', 'show_options']);
  const options = objectOf(raw['show_options']);
  onlyMembers(options, 'SHOW COLUMNS', ['show_in']);
  const target = has(options['show_in']) ? objectOf(options['show_in']) : undefined;
  if (!target || !has(target['parent_name'])) throw notImplemented('SHOW COLUMNS without a table is not supported');
  return { kind: 'show-columns', parts: objectName(target['parent_name']), full: isTrue(raw['full']) || isTrue(raw['extended']) };
}

function showSettings(raw: RawObject): Statement {
  const parts = listOf(raw['variable']).map((part) => identifier(part));
  const verbose = parts.at(-1) === 'verbose';
  const name = (verbose ? parts.slice(0, -1) : parts).join('.');
  if (name === 'all') return { kind: 'show-settings', name: undefined, verbose };
  const isZone = name === 'timezone' || name === 'time.zone';
  return { kind: 'show-settings', name: isZone ? 'datafusion.execution.time_zone' : name, verbose };
}

function refusal(kind: string, body: Raw, printed: () => string): Error {
  if (kind === 'CreateTable') {
    return planError(`DDL not supported: ${isTrue(objectOf(body)['external']) ? 'CreateExternalTable' : 'CreateMemoryTable'}`);
  }
  if (kind === 'Drop') {
    const target = textOf(objectOf(body)['object_type']);
    if (target === 'Table' || target === 'View') return planError(`DDL not supported: Drop${target}`);
    if (target === 'Schema') return planError('DDL not supported: DropCatalogSchema');
  }
  const text = Object.hasOwn(refusals, kind) ? refusals[kind] : undefined;
  return text === undefined ? notImplemented(`Unsupported SQL statement: ${printed()}`) : planError(text);
}
