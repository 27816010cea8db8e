import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { FIELDS } from '../../../src/telemetry/fields.ts';
import { telemetrySchema } from '../../../src/telemetry/schema.ts';
import { decode, harness } from './support.ts';

/** docs/telemetry.md, found by walking up from this file. */
function documentation(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); folder !== dirname(folder); folder = dirname(folder)) {
    try {
      return readFileSync(join(folder, 'docs', 'telemetry.md'), 'utf8');
    } catch {
      // one folder up
    }
  }
  throw new Error('docs/telemetry.md not found');
}

describe('field table', () => {
  it('the table in docs/telemetry.md has exactly the rows of the code', () => {
    const table = /<!-- fields -->\n([\s\S]*)\n<!-- end of fields -->/.exec(documentation())?.[1] ?? '';
    const rows = table.split('\n').slice(2);
    assert.deepEqual(
      rows,
      FIELDS.map((field) => `| \`${field.name}\` | ${field.type} | ${field.unit} | ${field.sampled} | ${field.what} | ${field.why} |`),
    );
  });

  it('every value of a real payload has the type that the table says', () => {
    const { telemetry } = harness();
    telemetry.recordInvocation('d', 't', 'p', 'process_writes');
    const text = Buffer.from(telemetry.preview()).toString('utf8');
    const payload = decode(text);
    for (const field of FIELDS) {
      const value = payload[field.name];
      if (field.type === 'string') assert.equal(typeof value, 'string', field.name);
      else if (field.type === 'strings' || field.type === 'invocations') assert.ok(Array.isArray(value), field.name);
      else assert.match(text, new RegExp(`"${field.name}":${field.type === 'u64' ? '\\d+[,}]' : '\\d+\\.\\d+[,}]'}`), field.name);
    }
  });

  it('the JSON Schema has every field, in order, with unit and time of sampling', () => {
    const schema = telemetrySchema();
    const properties = schema['properties'] as Record<string, Record<string, unknown>>;
    assert.deepEqual(
      Object.keys(properties),
      FIELDS.map((field) => field.name),
    );
    assert.deepEqual(schema['required'], Object.keys(properties));
    assert.equal(schema['additionalProperties'], false);
    for (const field of FIELDS) {
      assert.equal(properties[field.name]?.['x-unit'], field.unit);
      assert.equal(properties[field.name]?.['x-sampled'], field.sampled);
    }
  });

  it('the JSON Schema accepts a payload with invocations and refuses names, fractions and extra members', () => {
    const { telemetry } = harness();
    telemetry.recordInvocation('d', 't', 'p', 'process_request');
    const payload = decode(telemetry.preview());
    assert.deepEqual(violations(telemetrySchema(), payload), []);
    assert.deepEqual(violations(telemetrySchema(), { ...payload, cores: 1.5 }), ['$.cores']);
    assert.deepEqual(violations(telemetrySchema(), { ...payload, hostname: 'x' }), ['$.hostname']);
    assert.deepEqual(violations(telemetrySchema(), { ...payload, installed_packages: ['numpy'] }), ['$.installed_packages']);
    const [element] = payload['plugin_trigger_invocations'] as Record<string, unknown>[];
    const named = { ...payload, plugin_trigger_invocations: [{ ...element, database_name: 'x' }] };
    assert.deepEqual(violations(telemetrySchema(), named), ['$.plugin_trigger_invocations[0].database_name']);
  });
});

type Schema = Record<string, unknown>;

/** Paths that break the schema; knows just the keywords that the schema uses. */
function violations(schema: Schema, value: unknown, path = '$'): string[] {
  const wrong = (): string[] => [path];
  if ('const' in schema && schema['const'] !== value) return wrong();
  if (Array.isArray(schema['enum']) && !schema['enum'].includes(value)) return wrong();
  switch (schema['type']) {
    case 'string':
      return typeof value === 'string' ? [] : wrong();
    case 'integer':
      return Number.isInteger(value) && Number(value) >= Number(schema['minimum']) ? [] : wrong();
    case 'number':
      return typeof value === 'number' && value >= Number(schema['minimum']) ? [] : wrong();
    case 'array':
      if (!Array.isArray(value) || value.length > Number(schema['maxItems'])) return wrong();
      return value.flatMap((item, index) => violations(schema['items'] as Schema, item, `${path}[${index}]`));
    case 'object': {
      const properties = schema['properties'] as Record<string, Schema>;
      const members = value as Record<string, unknown>;
      const extra = Object.keys(members).filter((key) => !(key in properties));
      const missing = (schema['required'] as string[]).filter((key) => !(key in members));
      const inner = Object.entries(properties).flatMap(([key, property]) =>
        key in members ? violations(property, members[key], `${path}.${key}`) : [],
      );
      return [...extra.map((key) => `${path}.${key}`), ...missing.map((key) => `${path}.${key}`), ...inner];
    }
    default:
      throw new Error(`unknown type at ${path}`);
  }
}
