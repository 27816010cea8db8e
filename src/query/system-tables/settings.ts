import { SETTINGS } from '../sql/index.ts';
import type { Cell } from './rows-source.ts';

/** Rows of `information_schema.df_settings`. */
export function settingsRows(): readonly (readonly Cell[])[] {
  return SETTINGS;
}
