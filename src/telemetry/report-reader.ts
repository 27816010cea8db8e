import { FIELDS, type FieldName, type FieldType } from './fields.ts';
import { TRIGGER_TYPES, type TriggerType } from './invocations.ts';

/** Longest text member of a report. */
const TEXT_CHARS_MAX = 256;
/** Most elements of an array member. */
const ELEMENTS_MAX = 10_000;
const INTEGER_MAX = 2 ** 63;

/** Members that say who reports; without them a report cannot be kept apart from others. */
const NEEDED: readonly FieldName[] = ['instance_id', 'version'];

/** A report that was understood. */
export interface AcceptedReport {
  readonly texts: ReadonlyMap<FieldName, string>;
  /** Whole numbers. */
  readonly integers: ReadonlyMap<FieldName, bigint>;
  readonly floats: ReadonlyMap<FieldName, number>;
  /** Runs of plugins by kind of trigger; names that a sender may have put in are dropped. */
  readonly invocations: ReadonlyMap<TriggerType, bigint>;
  /** Members that this version does not know; dropped. */
  readonly unknownFields: number;
}

export type ReadReport =
  | { readonly kind: 'accepted'; readonly report: AcceptedReport }
  | { readonly kind: 'refused'; readonly problem: string };

/**
 * Reads a report of any version: members may be missing (except who reports) and unknown ones are dropped, but a member
 * that is there must have its type.
 */
export function readReport(body: string): ReadReport {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    return refused('the body is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return refused('the body is not a JSON object');
  const members = new Map(Object.entries(value));
  const missing = NEEDED.find((name) => !members.has(name));
  if (missing !== undefined) return refused(`${missing} is missing`);
  const report = {
    texts: new Map<FieldName, string>(),
    integers: new Map<FieldName, bigint>(),
    floats: new Map<FieldName, number>(),
    invocations: new Map<TriggerType, bigint>(),
    unknownFields: members.size,
  };
  for (const field of FIELDS) {
    const member = members.get(field.name);
    if (member === undefined) continue;
    report.unknownFields -= 1;
    const problem = readMember(field.name, field.type, member, report);
    if (problem !== undefined) return refused(`${field.name} ${problem}`);
  }
  return { kind: 'accepted', report };
}

interface MutableReport {
  texts: Map<FieldName, string>;
  integers: Map<FieldName, bigint>;
  floats: Map<FieldName, number>;
  invocations: Map<TriggerType, bigint>;
}

/** Undefined when fine, else what is wrong, to be read after the name of the member. */
function readMember(name: FieldName, type: FieldType, member: unknown, report: MutableReport): string | undefined {
  switch (type) {
    case 'string':
      if (typeof member !== 'string') return 'must be a string';
      if (member.length > TEXT_CHARS_MAX) return `must have at most ${TEXT_CHARS_MAX} characters`;
      if (!/^[\x20-\x7e]*$/.test(member) || member.includes('\\')) return 'must be printable ASCII without backslashes';
      if (NEEDED.includes(name) && member.trim() === '') return 'must not be empty';
      report.texts.set(name, member);
      return undefined;
    case 'u64':
      if (!isWholeNumber(member)) return 'must be a whole number from 0 to 2^63';
      report.integers.set(name, toInteger(member));
      return undefined;
    case 'f32':
    case 'f64':
      if (typeof member !== 'number' || !Number.isFinite(member)) return 'must be a number';
      report.floats.set(name, member);
      return undefined;
    case 'strings':
      if (!Array.isArray(member) || member.length > ELEMENTS_MAX || !member.every((element) => typeof element === 'string')) {
        return `must be an array of at most ${ELEMENTS_MAX} strings`;
      }
      report.integers.set(name, BigInt(member.length));
      return undefined;
    case 'invocations':
      return readInvocations(member, report.invocations);
  }
}

function readInvocations(member: unknown, totals: Map<TriggerType, bigint>): string | undefined {
  if (!Array.isArray(member) || member.length > ELEMENTS_MAX) return `must be an array of at most ${ELEMENTS_MAX} objects`;
  for (const element of member as unknown[]) {
    if (typeof element !== 'object' || element === null) return 'must hold objects';
    const { trigger_type: type, invocation_count: count } = element as Record<string, unknown>;
    if (!isWholeNumber(count)) return 'must hold a whole number invocation_count in each object';
    const known = TRIGGER_TYPES.find((one) => one === type);
    if (known === undefined) return `must hold one of ${TRIGGER_TYPES.join(', ')} as trigger_type in each object`;
    totals.set(known, clamp((totals.get(known) ?? 0n) + toInteger(count)));
  }
  return undefined;
}

function isWholeNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= INTEGER_MAX;
}

function toInteger(value: number): bigint {
  return clamp(BigInt(value));
}

/** Keeps within what an integer field can hold. */
function clamp(value: bigint): bigint {
  const max = 2n ** 63n - 1n;
  return value > max ? max : value;
}

function refused(problem: string): ReadReport {
  return { kind: 'refused', problem };
}
