import { InfluxError } from '../../../shared/errors.ts';

/** Failures that the HTTP layer itself raises. Messages are wire format. */

/** 404 for paths without a route. */
export function notFound(): InfluxError {
  return new InfluxError({ code: 'ROUTE_NOT_FOUND', message: 'Not found', status: 404 });
}

/** Query string or form that does not decode. */
export function serdeError(detail: string): InfluxError {
  return new InfluxError({ code: 'QUERY_STRING_INVALID', message: `serde error: ${detail}`, status: 400 });
}

/** JSON that does not decode. */
export function serdeJsonError(detail: string): InfluxError {
  return new InfluxError({ code: 'JSON_INVALID', message: `serde json error: ${detail}`, status: 400 });
}

/** 413: the body, or what it unzips to, is larger than the limit, in bytes. */
export function requestTooLarge(maxBytes: number): InfluxError {
  return new InfluxError({ code: 'REQUEST_TOO_LARGE', message: `max request size (${maxBytes} bytes) exceeded`, status: 413 });
}

/** 400: the connection failed, or the client left, before the whole body was there. */
export function bodyReadFailed(cause: unknown): InfluxError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new InfluxError({ code: 'BODY_READ_FAILED', message: `Failed to read request body: ${detail}`, status: 400, cause });
}

/** 400: a body that is neither plain nor gzip. */
export function unacceptableContentEncoding(value: string): InfluxError {
  return new InfluxError({ code: 'CONTENT_ENCODING', message: `unacceptable content-encoding: ${value}`, status: 400 });
}

/** 400: a body that is said to be gzip and cannot be unzipped. */
export function badGzip(detail: string, cause: unknown): InfluxError {
  return new InfluxError({ code: 'GZIP_INVALID', message: `error decoding gzip stream: ${detail}`, status: 400, cause });
}

/** 400: a body that is no UTF-8; `detail` says where. */
export function bodyNotUtf8(detail: string): InfluxError {
  return new InfluxError({ code: 'BODY_NOT_UTF8', message: `body content is not valid utf8: ${detail}`, status: 400 });
}

/** 415: a body that must be JSON has another content type, or none. */
export function jsonContentTypeRequired(): InfluxError {
  return new InfluxError({
    code: 'CONTENT_TYPE',
    message: 'unacceptable content-type, expected: application/json',
    status: 415,
  });
}

/** 400: a write without query string. */
export function missingWriteParams(): InfluxError {
  return new InfluxError({ code: 'QUERY_STRING_MISSING', message: "missing query parameter 'db'", status: 400 });
}

/** 400: a query without query string. */
export function missingQueryParams(): InfluxError {
  return new InfluxError({ code: 'QUERY_STRING_MISSING', message: "missing query parameters 'db' and 'q'", status: 400 });
}

/** 400: an `Accept` header with none of the formats. */
export function invalidMimeType(value: string): InfluxError {
  return new InfluxError({ code: 'MIME_TYPE', message: `invalid mime type (${value})`, status: 400 });
}

/** 405: a part of the API that this server does not have. */
export function notImplemented(what: string): InfluxError {
  return new InfluxError({ code: 'NOT_IMPLEMENTED', message: `This feature is not implemented: ${what}`, status: 405 });
}

/** A 400 of the v1 endpoints, framed as `{"error": message}`. */
export function badV1Request(message: string): InfluxError {
  return new InfluxError({ code: 'V1_REQUEST_INVALID', message, status: 400, shape: 'json' });
}

/** What a client hears about a failure that is our fault; the log has the rest. */
export function internalError(cause: unknown): InfluxError {
  return new InfluxError({ code: 'INTERNAL_ERROR', message: 'internal server error', status: 500, cause });
}
