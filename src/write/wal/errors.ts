import { InfluxError } from '../../shared/errors.ts';
import { errorText } from '../../storage/index.ts';

const PREFIX = 'write buffer error: error from wal: ';

/** 500: as many writes as may wait for the log are waiting. */
export function walBufferFull(ops: number): InfluxError {
  return new InfluxError({ code: 'WAL_BUFFER_FULL', message: `${PREFIX}wal buffer full with ${ops} ops`, status: 500 });
}

/** 500: a write after the log was closed; nothing of it is stored. */
export function walShutdown(): InfluxError {
  return new InfluxError({ code: 'WAL_SHUTDOWN', message: `${PREFIX}wal is shutdown and not accepting writes`, status: 500 });
}

/** The record could not be made durable (disk full, I/O error). */
export function walWriteFailed(cause: unknown): InfluxError {
  return new InfluxError({ code: 'WAL_WRITE_FAILED', message: `${PREFIX}${errorText(cause)}`, status: 500, cause });
}

/** The object store has not taken the log for a while; a write that was refused with it may still become durable. */
export function walUnavailable(): InfluxError {
  const message = `${PREFIX}the object store does not answer; try again`;
  return new InfluxError({ code: 'WAL_UNAVAILABLE', message, status: 503 });
}

/** Another process has taken over the log. */
export function walTakenOver(cause: unknown): InfluxError {
  const message = `${PREFIX}another process has written to the WAL ahead of this one`;
  return new InfluxError({ code: 'WAL_TAKEN_OVER', message, status: 500, cause });
}
