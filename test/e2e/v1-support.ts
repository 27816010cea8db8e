import assert from 'node:assert/strict';

/** The result of a statement of `/query`, without its id; for a text that does not parse the whole answer, which has an `error` too. */
export type V1Result = Record<string, unknown>;

/** What tests ask of the v1 endpoints of a server. */
export interface V1Client {
  ask(q: string, params?: Readonly<Record<string, string>>, method?: string): Promise<V1Result>;
  error(q: string, params?: Readonly<Record<string, string>>, method?: string): Promise<unknown>;
  /** Rows of the first series; undefined = no series. */
  values(q: string, params?: Readonly<Record<string, string>>): Promise<unknown[][] | undefined>;
  write(params: Readonly<Record<string, string>>, lines: string): Promise<void>;
}

/** @param url of the server, which may change when it is started again */
export function v1Client(url: () => string): V1Client {
  const ask: V1Client['ask'] = async (q, params = {}, method = 'POST') => {
    const response = await fetch(`${url()}/query?${new URLSearchParams({ q, ...params })}`, { method });
    const text = await response.text();
    if (response.status === 400) return JSON.parse(text) as V1Result;
    assert.equal(response.status, 200, text);
    const { results } = JSON.parse(text) as { results: V1Result[] };
    assert.equal(results.length, 1, text);
    const { statement_id, ...rest } = results[0] ?? {};
    assert.equal(statement_id, 0);
    return rest;
  };
  return {
    ask,
    error: async (q, params, method) => (await ask(q, params, method))['error'],
    async values(q, params) {
      const result = await ask(q, params);
      assert.equal(result['error'], undefined, q);
      return (result['series'] as { values: unknown[][] }[] | undefined)?.[0]?.values;
    },
    async write(params, lines) {
      const response = await fetch(`${url()}/write?${new URLSearchParams(params)}`, { method: 'POST', body: lines });
      assert.equal(response.status, 204, await response.text());
    },
  };
}

/** A result of one series. */
export function oneSeries(columns: readonly string[], values: readonly unknown[][], name?: string): V1Result {
  return { series: [{ ...(name === undefined ? {} : { name }), columns, values }] };
}
