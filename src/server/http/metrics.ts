import { Counter, Gauge, Histogram, type Registry } from '../../shared/prometheus.ts';
import type { ProductInfo } from './dependencies.ts';

const PRODUCT_NAME = 'InfluxDB 3 Core';

/** Seconds. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
/** Bytes. */
const SIZE_BUCKETS = [100, 1e3, 1e4, 1e5, 1e6, 1e7];

/** One answered request, as the metrics see it. */
export interface AnsweredRequest {
  readonly method: string;
  /** Route path, never a path that a client made up. */
  readonly route: string;
  readonly status: number;
  readonly aborted: boolean;
  readonly durationSecs: number;
  readonly bodyBytes: number;
}

/** The metrics of http-api.md 5 that this layer feeds. */
export class HttpMetrics {
  readonly #requests: Counter;
  readonly #durations: Histogram;
  readonly #sizes: Histogram;
  readonly #lines: Counter;
  readonly #rejectedLines: Counter;
  readonly #bytes: Counter;

  constructor(registry: Registry, product: ProductInfo, startTimeSecs: number) {
    const registers = [registry];
    const labelNames = ['path', 'method', 'method_path', 'status'];
    const started = new Gauge({
      name: 'process_start_time_seconds',
      help: 'Start time of the process since unix epoch in seconds.',
      labelNames: ['product_name', 'version', 'git_hash', 'uuid'],
      registers,
    });
    const { version, revision, processId } = product;
    started.set({ product_name: PRODUCT_NAME, version, git_hash: revision, uuid: processId }, startTimeSecs);
    this.#requests = new Counter({ name: 'http_requests_total', help: 'accumulated total requests', labelNames, registers });
    this.#durations = new Histogram({
      name: 'http_request_duration_seconds',
      help: 'distribution of request latencies',
      labelNames,
      buckets: DURATION_BUCKETS,
      registers,
    });
    this.#sizes = new Histogram({
      name: 'http_response_body_size_bytes',
      help: 'distribution of response body sizes',
      labelNames,
      buckets: SIZE_BUCKETS,
      registers,
    });
    const perDatabase = (name: string, help: string): Counter => new Counter({ name, help, labelNames: ['db'], registers });
    this.#lines = perDatabase('influxdb3_write_lines_total', 'track total number of lines written to the database');
    this.#rejectedLines = perDatabase('influxdb3_write_lines_rejected_total', 'track total number of rejected lines');
    this.#bytes = perDatabase('influxdb3_write_bytes_total', 'track total number of bytes written to the database');
  }

  recordRequest(answered: AnsweredRequest): void {
    const labels = requestLabels(answered);
    this.#requests.inc(labels);
    this.#durations.observe(labels, answered.durationSecs);
    this.#sizes.observe(labels, answered.bodyBytes);
  }

  recordWrite(db: string, acceptedLines: number, acceptedBytes: number, rejectedLines: number): void {
    this.#lines.inc({ db }, acceptedLines);
    this.#bytes.inc({ db }, acceptedBytes);
    if (rejectedLines > 0) this.#rejectedLines.inc({ db }, rejectedLines);
  }
}

function requestLabels(answered: AnsweredRequest): Record<string, string> {
  const { method, route } = answered;
  const status = statusLabel(answered);
  // Labels that clients could invent are dropped, so that the number of series stays bounded.
  if (answered.status === 404) return { method, status };
  if (answered.status === 405) return { path: route, status };
  return { path: route, method, method_path: `${method} ${route}`, status };
}

function statusLabel(answered: AnsweredRequest): string {
  if (answered.aborted) return 'aborted';
  if (answered.status >= 200 && answered.status < 300) return 'ok';
  if (answered.status >= 400 && answered.status < 500) return 'client_error';
  return answered.status >= 500 ? 'server_error' : 'unexpected_response';
}
