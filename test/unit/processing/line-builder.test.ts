import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { LineBuilder } from '../../../src/processing/javascript/plugin.ts';

const root = fileURLToPath(new URL('../../../../..', import.meta.url));

/** Calls of one builder, by the names that both languages have; what they come to, as a line or as `<class>: <message>`. */
interface Case {
  readonly measurement: string;
  readonly calls: readonly (readonly [method: string, ...args: (string | number | boolean | null)[]])[];
  readonly python: string;
  /** Undefined = the same. */
  readonly javascript?: string;
}

const one = (...call: Case['calls'][number]): Pick<Case, 'measurement' | 'calls'> => ({ measurement: 'm', calls: [call] });

const CASES: readonly Case[] = [
  { measurement: 'a b', calls: [], python: 'InvalidMeasurementError: Measurement name cannot contain spaces' },
  { measurement: '', calls: [['int64_field', 'v', 1]], python: ' v=1i' },
  { measurement: 'a,b', calls: [['bool_field', 'v', true]], python: 'a\\,b v=t' },
  {
    ...one('int64_field', 'v', 1.5),
    python: 'm v=1.5i',
    javascript: "TypeError: field 'v': 1.5 is not a whole number that a double holds exactly",
  },
  { ...one('int64_field', 'v', -7), python: 'm v=-7i' },
  { ...one('uint64_field', 'v', 7), python: 'm v=7u' },
  {
    ...one('uint64_field', 'v', -1),
    python: "ValueError: uint64 field 'v' cannot be negative",
    javascript: "RangeError: uint64 field 'v' cannot be negative",
  },
  { ...one('float64_field', 'v', 3), python: 'm v=3.0' },
  { ...one('float64_field', 'v', 1e16), python: 'm v=10000000000000000.0' },
  { ...one('float64_field', 'v', -0.5), python: 'm v=-0.5' },
  { ...one('float64_field', 'v', 1e-7), python: 'm v=1e-07', javascript: 'm v=1e-7' },
  {
    ...one('float64_field', 'v', null),
    python: "TypeError: unsupported operand type(s) for %: 'NoneType' and 'int'",
    javascript: "TypeError: float64 field 'v' is not a finite number",
  },
  { ...one('string_field', 'v', 'a"b\\c\nd ü'), python: 'm v="a\\"b\\\\c\nd ü"' },
  {
    ...one('string_field', 'v', 1),
    python: "AttributeError: 'int' object has no attribute 'replace'",
    javascript: "TypeError: string field 'v' is not a string",
  },
  { ...one('bool_field', 'v', 0), python: 'm v=f' },
  { ...one('tag', 'k', 'v'), python: 'InvalidLineError: At least one field is required: m,k=v' },
  {
    measurement: 'm',
    calls: [
      ['tag', 'b', 'x'],
      ['tag', 'a', 'y'],
      ['tag', 'b', 'c d,e=f\\'],
      ['int64_field', 'v', 1],
      ['int64_field', 'w', 2],
      ['int64_field', 'v', 3],
    ],
    python: 'm,b=c\\ d\\,e\\=f\\\\,a=y v=3i,w=2i',
  },
  {
    measurement: 'm',
    calls: [
      ['int64_field', 'back\\slash', 1],
      ['time_ns', 5],
    ],
    python: 'm back\\\\slash=1i 5',
  },
  ...(['tag', 'field'] as const).flatMap((what) =>
    [
      ['', 'cannot be empty'],
      ['a b', "'a b' cannot contain spaces"],
      ['a,b', "'a,b' cannot contain commas"],
      ['a=b', "'a=b' cannot contain equals signs"],
    ].map(([key = '', problem]): Case => {
      return { ...one(what === 'tag' ? 'tag' : 'bool_field', key, true), python: `InvalidKeyError: ${what} key ${problem}` };
    }),
  ),
];

const PYTHON = `
import json, sys
sys.path.insert(0, sys.argv[1])
import plugin_host
for case in json.load(sys.stdin):
    try:
        line = plugin_host.LineBuilder(case["measurement"])
        for method, *args in case["calls"]:
            assert getattr(line, method)(*args) is line
        text = line.build()
    except Exception as error:
        text = plugin_host.error_text(error)
    print(json.dumps(text))
`;

function javascript({ calls, measurement }: Case): string {
  try {
    let line = new LineBuilder(measurement);
    for (const [method, ...args] of calls) {
      const known = line as unknown as Record<string, (...args: unknown[]) => LineBuilder>;
      line = known[method]?.call(line, ...args) as LineBuilder;
    }
    return line.build();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
}

describe('LineBuilder', () => {
  it('makes the lines and says the errors of InfluxDB 3 Core in Python', () => {
    const folder = join(root, 'src', 'processing', 'python');
    const printed = execFileSync('python3', ['-B', '-c', PYTHON, folder], { input: JSON.stringify(CASES), encoding: 'utf8' });
    const texts = printed
      .trim()
      .split('\n')
      .map((line): unknown => JSON.parse(line));
    assert.deepEqual(
      texts,
      CASES.map(({ python }) => python),
    );
  });

  it('makes the same in JavaScript, and refuses numbers that would not be written as they are', () => {
    for (const each of CASES) assert.equal(javascript(each), each.javascript ?? each.python, JSON.stringify(each.calls));
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      assert.throws(() => new LineBuilder('m').floatField('v', value), /^TypeError: float64 field 'v' is not a finite number$/);
    }
    assert.equal(
      new LineBuilder('m')
        .floatField('v', -0)
        .intField('i', -(2n ** 63n))
        .uintField('u', 2n ** 64n - 1n)
        .timeNs(-1n)
        .build(),
      'm v=0.0,i=-9223372036854775808i,u=18446744073709551615u -1',
    );
    assert.deepEqual([...new LineBuilder('m').tag('a', 1).boolField('b', '').fields], [['b', 'f']], 'tags and fields can be read');
  });
});
