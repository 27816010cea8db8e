import { GRPC_STATUS } from '../../shared/grpc-status.ts';
import { Counter, type Registry } from '../../shared/prometheus.ts';
import { CellHistogram, type HistogramCell } from '../http/metrics/request-histogram.ts';
import type { CallEnd } from './grpc/grpc-call.ts';

/** Seconds. */
const DURATION_BUCKETS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Statuses that are the server's fault. */
const SERVER_ERRORS: ReadonlySet<number> = new Set([GRPC_STATUS.INTERNAL, GRPC_STATUS.UNAVAILABLE, GRPC_STATUS.DEADLINE_EXCEEDED]);

/** Metrics of gRPC calls, as they stand beside those of HTTP requests. */
export class FlightMetrics {
  readonly #calls: Counter;
  readonly #durations: CellHistogram;
  readonly #cells = new Map<string, HistogramCell>();

  constructor(registry: Registry) {
    const labelNames = ['path', 'status'];
    this.#calls = new Counter({ name: 'grpc_requests_total', help: 'accumulated total gRPC requests', labelNames, registers: [registry] });
    const settings = { name: 'grpc_request_duration_seconds', help: 'distribution of gRPC request latencies', bounds: DURATION_BUCKETS };
    this.#durations = new CellHistogram(settings, registry);
  }

  /** `path` is empty for calls of methods that do not exist: clients could invent any number of them. */
  record(path: string, end: CallEnd, durationSecs: number): void {
    const labels = { ...(path === '' ? {} : { path }), status: statusLabel(end) };
    this.#calls.inc(labels);
    const key = `${path} ${labels.status}`;
    let cell = this.#cells.get(key);
    if (cell === undefined) {
      cell = this.#durations.cell(labels);
      this.#cells.set(key, cell);
    }
    cell.observe(durationSecs);
  }
}

function statusLabel({ status, aborted }: CallEnd): string {
  if (aborted) return 'aborted';
  if (status === GRPC_STATUS.OK) return 'ok';
  return SERVER_ERRORS.has(status) ? 'server_error' : 'client_error';
}
