import { invalidDatabaseName } from './errors.ts';

/** Length limit of a database name with its retention policy part, bytes. */
const DATABASE_NAME_BYTES_MAX = 511;

export { INTERNAL_DATABASE } from '../shared/internal-database.ts';

/** Throws `InfluxError` INVALID_DATABASE_NAME unless the name may be written to or created. */
export function validateDatabaseName(name: string): void {
  if (name === '') throw invalidDatabaseName('db name cannot be empty');
  if (Buffer.byteLength(name) > DATABASE_NAME_BYTES_MAX) throw invalidDatabaseName(`db name too long: max ${DATABASE_NAME_BYTES_MAX}`);
  if (!/^[A-Za-z0-9]/.test(name)) throw invalidDatabaseName('db name did not start with a number or letter');
  let slashes = 0;
  for (const char of name) {
    if (char === '/') {
      if (++slashes > 1) throw misplacedSlash();
    } else if (!/^[A-Za-z0-9_-]$/.test(char)) {
      throw invalidDatabaseName(
        'invalid character in database or rp name: must be ASCII, containing only letters, numbers, underscores, or hyphens',
      );
    }
  }
  if (name.endsWith('/')) throw misplacedSlash();
}

/** Name of a soft-deleted database or table: `<name>-<YYYYMMDDTHHMMSS>`, with `-<id>` when that is taken. */
export function deletedName(name: string, id: number, deletedAtMs: number, isTaken: (name: string) => boolean): string {
  const stamp = new Date(deletedAtMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  let renamed = `${name}-${stamp}`;
  while (isTaken(renamed)) renamed += `-${id}`;
  return renamed;
}

/** What `deletedName` was made of: the name before, and the time in it. Other names are given back as they are. */
export function nameBeforeDelete(name: string): { readonly before: string; readonly stamp: string | undefined } {
  const match = /^(.+)-(\d{8}T\d{6})(?:-\d+)*$/s.exec(name);
  return { before: match?.[1] ?? name, stamp: match?.[2] };
}

function misplacedSlash(): Error {
  return invalidDatabaseName(
    "db name with invalid retention policy, if providing a retention policy name, must be of form '<db_name>/<rp_name>'",
  );
}
