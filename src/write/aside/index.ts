export { AsideLog, type AsideReplayReport, type TableIds } from './aside-log.ts';
export { type AsideChange, type SetAsideTable, TablesAside } from './tables-aside.ts';
