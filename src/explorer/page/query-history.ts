import type { Language } from './api.ts';

export interface PastQuery {
  readonly db: string;
  readonly language: Language;
  readonly q: string;
}

const KEY = 'influxdb3-history';
const ENTRIES_MAX = 100;

/** Statements that were run in this browser, newest first, each once. */
export function pastQueries(): readonly PastQuery[] {
  try {
    const stored = JSON.parse(localStorage.getItem(KEY) ?? '[]') as unknown;
    return Array.isArray(stored) ? (stored as PastQuery[]).filter((entry) => typeof entry?.q === 'string') : [];
  } catch {
    return [];
  }
}

/** Adds a statement. A storage that is full or closed keeps nothing. */
export function rememberQuery(query: PastQuery): void {
  const others = pastQueries().filter(({ db, language, q }) => db !== query.db || language !== query.language || q !== query.q);
  try {
    localStorage.setItem(KEY, JSON.stringify([query, ...others].slice(0, ENTRIES_MAX)));
  } catch {
    // The history is a courtesy.
  }
}
