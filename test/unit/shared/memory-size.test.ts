import assert from 'node:assert/strict';
import { totalmem } from 'node:os';
import { describe, it } from 'node:test';
import { availableMemoryBytes, parseMemorySize } from '../../../src/shared/memory-size.ts';

const total = 8 * 1024 ** 3;

describe('memory sizes', () => {
  for (const [text, bytes] of [
    ['100', 104_857_600],
    ['1kb', 1024],
    ['5 MB', 5_242_880],
    ['2Gb', 2 * 1024 ** 3],
    ['77b', 77],
    ['0%', 0],
    ['25%', total / 4],
    ['100%', total],
  ] as const) {
    it(`reads ${text}`, () => assert.equal(parseMemorySize(text, total), bytes));
  }

  for (const [text, message] of [
    ['abc', "failed to parse 'abc' as a memory size in MB: invalid digit found in string"],
    ['1.5gb', "failed to parse '1.5gb' as a memory size in GB: invalid digit found in string"],
    ['xkb', "failed to parse 'xkb' as a memory size in KB: invalid digit found in string"],
    ['-1b', "failed to parse '-1b' as a memory size in bytes: invalid digit found in string"],
    ['', "failed to parse '' as a memory size in MB: cannot parse integer from empty string"],
    ['101%', "failed to parse '101%' as a percentage of available memory: relative memory size must be in [0, 100] but is 101"],
    ['x%', "failed to parse 'x%' as a percentage of available memory: invalid digit found in string"],
  ] as const) {
    it(`refuses ${JSON.stringify(text)}`, () => assert.throws(() => parseMemorySize(text, total), { name: 'MemorySizeError', message }));
  }

  it('knows the memory of this process', () => {
    assert.ok(availableMemoryBytes() > 0 && availableMemoryBytes() <= totalmem());
  });
});
