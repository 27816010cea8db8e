import { totalmem } from 'node:os';

/** Memory sizes of options. Values are whole bytes. */

/** Why a text is no memory size; the message is the exact reason that users see. */
export class MemorySizeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'MemorySizeError';
  }
}

const units: readonly (readonly [suffix: string, bytes: number, name: string])[] = [
  ['gb', 1024 ** 3, 'GB'],
  ['mb', 1024 ** 2, 'MB'],
  ['kb', 1024, 'KB'],
  ['b', 1, 'bytes'],
];

/**
 * Parses `<int>` (megabytes), `<int>b|kb|mb|gb` (1024-based, any case) or `<0..100>%` of `totalBytes`.
 * Throws `MemorySizeError`.
 */
export function parseMemorySize(text: string, totalBytes: number): number {
  if (text.endsWith('%')) return percentOf(text, totalBytes);
  const lower = text.toLowerCase();
  const unit = units.find(([suffix]) => lower.endsWith(suffix));
  const [suffix, bytes, name] = unit ?? ['', 1024 ** 2, 'MB'];
  const digits = text.slice(0, text.length - suffix.length).trimEnd();
  const value = wholeNumber(digits);
  if (typeof value === 'string') throw new MemorySizeError(`failed to parse '${text}' as a memory size in ${name}: ${value}`);
  return value * bytes;
}

/** Memory that this process may use, in bytes: the container's limit if there is one, else physical memory. */
export function availableMemoryBytes(): number {
  const physical = totalmem();
  const constrained = process.constrainedMemory() ?? 0;
  return constrained > 0 && constrained < physical ? constrained : physical;
}

function percentOf(text: string, totalBytes: number): number {
  const value = wholeNumber(text.slice(0, -1));
  const prefix = `failed to parse '${text}' as a percentage of available memory: `;
  if (typeof value === 'string') throw new MemorySizeError(prefix + value);
  if (value > 100) throw new MemorySizeError(`${prefix}relative memory size must be in [0, 100] but is ${value}`);
  return Math.floor((totalBytes / 100) * value);
}

function wholeNumber(digits: string): number | string {
  if (digits === '') return 'cannot parse integer from empty string';
  if (!/^\+?[0-9]+$/.test(digits)) return 'invalid digit found in string';
  const value = Number(digits);
  return Number.isSafeInteger(value) ? value : 'number too large to fit in target type';
}
