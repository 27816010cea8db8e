import { FIELDS, type Field } from './fields.ts';
import { TRIGGER_TYPES } from './invocations.ts';

/** Name of the published schema. */
export const TELEMETRY_SCHEMA_ID = 'urn:influxdb3-serve:telemetry-report:1';

/** JSON Schema (2020-12) of what is sent, made from the field table. */
export function telemetrySchema(): Record<string, unknown> {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    $id: TELEMETRY_SCHEMA_ID,
    title: 'Usage report of an InfluxDB 3 Core compatible server',
    description: 'Everything that one usage report says. Members come in this order.',
    type: 'object',
    properties: Object.fromEntries(FIELDS.map((field) => [field.name, fieldSchema(field)])),
    required: FIELDS.map((field) => field.name),
    additionalProperties: false,
  };
}

function fieldSchema(field: Field): Record<string, unknown> {
  const about = { description: `${field.what} ${field.why}`, 'x-unit': field.unit, 'x-sampled': field.sampled };
  switch (field.type) {
    case 'string':
      return { type: 'string', ...about };
    case 'u64':
      return { type: 'integer', minimum: 0, ...about };
    case 'f32':
    case 'f64':
      return { type: 'number', minimum: 0, ...about };
    case 'strings':
      return { type: 'array', maxItems: 0, items: { type: 'string' }, ...about };
    case 'invocations':
      return { type: 'array', maxItems: TRIGGER_TYPES.length, items: invocationSchema(), ...about };
  }
}

function invocationSchema(): Record<string, unknown> {
  const empty = { type: 'string', const: '' };
  const properties = {
    database_name: empty,
    trigger_name: empty,
    plugin_name: empty,
    trigger_type: { type: 'string', enum: TRIGGER_TYPES },
    invocation_count: { type: 'integer', minimum: 1 },
  };
  return { type: 'object', properties, required: Object.keys(properties), additionalProperties: false };
}
