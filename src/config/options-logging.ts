import { sectionBuilder } from './option-spec.ts';
import { tracingTags } from './server-value-types.ts';
import { boolean, oneOf, port, positiveInteger, text } from './value-types.ts';

const logging = sectionBuilder('Logging');
export const loggingOptions = {
  logFilter: logging.defaulted('info,iox_query::query_log=warn,influxdb3_query_executor::query_planner=warn', {
    flag: 'log-filter',
    env: 'INFLUXDB3_LOG_FILTER',
    type: text,
    help: 'Levels to log: error, warn, info, debug, trace, off, also per target as target=level',
  }),
  verbose: logging.option({
    flag: 'verbose',
    short: 'v',
    type: boolean,
    counted: true,
    help: 'More log: -v info, -vv debug, -vvv trace; overrides --log-filter',
    common: true,
  }),
  disableLogFilterNoiseReduction: logging.defaulted('false', {
    flag: 'disable-log-filter-noise-reduction',
    env: 'INFLUXDB3_DISABLE_LOG_FILTER_NOISE_REDUCTION',
    type: boolean,
    help: 'Keep chatty targets at debug and trace',
  }),
  logDestination: logging.defaulted('stdout', {
    flag: 'log-destination',
    env: 'INFLUXDB3_LOG_DESTINATION',
    type: oneOf(['stdout', 'stderr'] as const, {
      anyCase: true,
      refusal: (value) => `Invalid log destination '${value}'. Valid options: stdout, stderr`,
    }),
    help: 'Where log lines go',
  }),
  logFormat: logging.defaulted('full', {
    flag: 'log-format',
    env: 'INFLUXDB3_LOG_FORMAT',
    type: oneOf(['full', 'pretty', 'json', 'logfmt'] as const, {
      anyCase: true,
      refusal: (value) => `Invalid log format '${value}'. Valid options: full, pretty, json, logfmt`,
    }),
    help: 'Shape of log lines',
  }),
  tracesExporter: logging.defaulted('none', {
    flag: 'traces-exporter',
    env: 'INFLUXDB3_TRACES_EXPORTER',
    type: oneOf(['none', 'jaeger'] as const, {
      anyCase: true,
      refusal: (value) => `Invalid traces exporter '${value}'. Valid options: none, jaeger`,
    }),
    help: 'Where traces go',
    status: 'later',
  }),
  tracesJaegerAgentHost: logging.defaulted('0.0.0.0', {
    flag: 'traces-exporter-jaeger-agent-host',
    env: 'INFLUXDB3_TRACES_EXPORTER_JAEGER_AGENT_HOST',
    type: text,
    help: 'Host of the Jaeger agent',
    status: 'later',
  }),
  tracesJaegerAgentPort: logging.defaulted('6831', {
    flag: 'traces-exporter-jaeger-agent-port',
    env: 'INFLUXDB3_TRACES_EXPORTER_JAEGER_AGENT_PORT',
    type: port,
    help: 'UDP port of the Jaeger agent',
    status: 'later',
  }),
  tracesJaegerServiceName: logging.defaulted('iox-conductor', {
    flag: 'traces-exporter-jaeger-service-name',
    env: 'INFLUXDB3_TRACES_EXPORTER_JAEGER_SERVICE_NAME',
    type: text,
    help: 'Service name of traces',
    status: 'later',
  }),
  tracesJaegerTraceContextHeaderName: logging.defaulted('uber-trace-id', {
    flag: 'traces-exporter-jaeger-trace-context-header-name',
    env: 'INFLUXDB3_TRACES_EXPORTER_JAEGER_TRACE_CONTEXT_HEADER_NAME',
    type: text,
    help: 'Request header that carries the trace',
    status: 'later',
  }),
  tracesJaegerDebugName: logging.defaulted('jaeger-debug-id', {
    flag: 'traces-jaeger-debug-name',
    env: 'INFLUXDB3_TRACES_EXPORTER_JAEGER_DEBUG_NAME',
    type: text,
    help: 'Request header that forces a trace',
    status: 'later',
  }),
  tracesJaegerTags: logging.option({
    flag: 'traces-jaeger-tags',
    env: 'INFLUXDB3_TRACES_EXPORTER_JAEGER_TAGS',
    type: tracingTags,
    help: 'Tags of every trace',
    status: 'later',
  }),
  tracesJaegerMaxMsgsPerSecond: logging.defaulted('1000', {
    flag: 'traces-jaeger-max-msgs-per-second',
    env: 'INFLUXDB3_TRACES_JAEGER_MAX_MSGS_PER_SECOND',
    type: positiveInteger,
    help: 'Most traces sent a second',
    status: 'later',
  }),
};
