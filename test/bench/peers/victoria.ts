import { AnswerRows } from './answer.ts';
import { asMetricsPath } from './questions.ts';
import type { Target } from './target.ts';

interface MetricsAnswer {
  readonly status: string;
  readonly data: {
    readonly result: readonly {
      readonly metric: Readonly<Record<string, string>>;
      readonly value?: readonly [number, string];
      readonly values?: readonly (readonly [number, string])[];
    }[];
  };
}

/** VictoriaMetrics: one series a field, floats only (a text is stored as 0), acknowledged from memory. */
export const victoriaMetrics: Target = {
  name: 'VictoriaMetrics 1.79',
  durability: 'acknowledged from memory; seconds are lost in a crash',
  debian: { program: 'victoria-metrics', packageName: 'victoria-metrics' },
  command: (dir, port) => ({
    program: 'victoria-metrics',
    args: [
      ...[`-storageDataPath=${dir}`, `-httpListenAddr=127.0.0.1:${port}`, '-retentionPeriod=100y', '-influxListenAddr='],
      ...['-search.latencyOffset=0s', '-search.disableCache', '-search.maxUniqueTimeseries=10000000', '-loggerLevel=ERROR'],
    ],
  }),
  readyPath: '/health',
  prepare: undefined,
  writePath: () => '/write?db=bench&precision=ns',
  ask(question) {
    const path = asMetricsPath(question);
    return path === undefined ? undefined : { method: 'GET', path };
  },
  answer(body, question) {
    const { status, data } = JSON.parse(body) as MetricsAnswer;
    if (status !== 'success') throw new Error(body.slice(0, 300));
    const answer = new AnswerRows(question);
    for (const { metric, value, values } of data.result) {
      const field = (metric['__name__'] ?? '').replace(/^cpu_/, '');
      for (const [time, text] of values ?? (value === undefined ? [] : [value])) answer.add(metric['hostname'], time, field, Number(text));
    }
    return answer.rows;
  },
};
