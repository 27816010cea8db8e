import { ValueError, type ValueType, valueTypes } from '../../config/index.ts';
import { DurationError, parseDurationNs } from '../../shared/duration.ts';
import { required } from '../command-model.ts';

/** A human duration, kept as nanoseconds. */
export const durationNs: ValueType<bigint> = {
  name: 'duration',
  parse(value) {
    try {
      return parseDurationNs(value);
    } catch (error) {
      throw error instanceof DurationError ? new ValueError(error.message) : error;
    }
  },
};

/** Positional of a database; the environment can give it, which docs warn about. */
export const databaseWord = {
  name: 'DATABASE_NAME',
  required: true,
  env: 'INFLUXDB3_DATABASE_NAME',
  help: 'Name of the database',
} as const;

/** `-t/--table`, required. */
export const tableOption = {
  table: required({ flag: 'table', short: 't', type: valueTypes.text, help: 'Table to work on' }),
} as const;
