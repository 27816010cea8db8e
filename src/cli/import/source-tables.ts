import { CommandFailure } from '../client/failure.ts';
import type { ImportRow } from './row-pieces.ts';

/** Why the databases of a running server cannot be imported under one name. */
export function severalIntoOne(count: number): CommandFailure {
  return new CommandFailure(`${count} databases cannot go into one`, {
    hint: 'choose one with --from-database, or leave --database out: each keeps its name',
  });
}

/**
 * All rows of the tables of a running server, one table after the other. `skip` = tables that were imported before; the position of the
 * last row of each is their number.
 */
export async function* tableRows<Table extends { readonly target: string }>(
  tables: readonly Table[],
  skip: number,
  onTable: (index: number) => void,
  tableLines: (table: Table) => AsyncIterable<string>,
): AsyncIterable<ImportRow> {
  let row = 0;
  for (const [index, table] of tables.entries()) {
    if (index < skip) continue;
    onTable(index);
    let held: ImportRow | undefined;
    for await (const line of tableLines(table)) {
      if (held !== undefined) yield held;
      row += 1;
      held = { line, sourceLine: row, database: table.target };
    }
    if (held !== undefined) yield { ...held, position: index + 1 };
  }
}
