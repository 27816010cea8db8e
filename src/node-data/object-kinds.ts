import type { ObjectEntry } from '../storage/index.ts';

/** What an object of a node is (docs/data-format.md). */
export type ObjectKind =
  | 'catalog'
  | 'wal'
  | 'wal claim'
  | 'side log'
  | 'snapshot info'
  | 'index'
  | 'parquet'
  | 'telemetry'
  | 'probe'
  | 'copy mark'
  | 'corrupt'
  | 'temporary'
  | 'other';

/** In the order in which they are shown. */
export const OBJECT_KINDS: readonly ObjectKind[] = [
  'catalog',
  'wal',
  'wal claim',
  'side log',
  'snapshot info',
  'index',
  'parquet',
  'telemetry',
  'probe',
  'copy mark',
  'corrupt',
  'temporary',
  'other',
];

/** Bytes of a log object without records. */
const CLAIM_BYTES = 64;

const PATTERNS: readonly (readonly [RegExp, ObjectKind])[] = [
  [/\.corrupt(\.|$)/, 'corrupt'],
  [/^tmp\/|\.tmp$|(^|\/)\.(lock|probe)[.-]/, 'temporary'],
  [/^catalog\/v3\/(snapshot|(logs|checkpoints)\/\d{20}\.catalog)$/, 'catalog'],
  [/^wal\/\d{11,}\.wal$/, 'wal'],
  [/^aside\/[^/]+\.rows$/, 'side log'],
  [/^snapshots\/\d{20}\.info\.json$/, 'snapshot info'],
  [/^(files\/(index|pending)|checkpoints\/\d{20}\.index)$/, 'index'],
  [/^dbs\/.+\.parquet$/, 'parquet'],
  [/^telemetry\//, 'telemetry'],
  [/^probe\//, 'probe'],
  [/^copy\.json$/, 'copy mark'],
];

/** Objects that come and go without anything of the node being changed. */
export function isPassing(kind: ObjectKind): boolean {
  return kind === 'temporary' || kind === 'probe';
}

/** What an object is, by its key and size. */
export function kindOf({ key, sizeBytes }: ObjectEntry): ObjectKind {
  const kind = PATTERNS.find(([pattern]) => pattern.test(key))?.[1] ?? 'other';
  return kind === 'wal' && sizeBytes === CLAIM_BYTES ? 'wal claim' : kind;
}
