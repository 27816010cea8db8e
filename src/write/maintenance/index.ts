export type { CompactionTotals } from './compactor.ts';
export { defaultMaintenance, Maintenance, type MaintenanceSettings } from './maintenance.ts';
export { retentionPeriodNs } from './retention.ts';
