/** A text of a source file and what stands there instead. The text must be there exactly once. */
export interface Edit {
  readonly file: string;
  readonly find: string;
  readonly replace: string;
}

/** A fault that the history must find. It is only ever put into a copy of the sources. */
export interface PlantedFault {
  readonly name: string;
  /** What is wrong, for the table in docs/testing.md. */
  readonly what: string;
  readonly edits: readonly Edit[];
}

const ingest = 'src/write/ingest.ts';
const writeBuffer = 'src/write/buffer/write-buffer.ts';
const tableBuffer = 'src/write/buffer/table-buffer.ts';
const generation = 'src/write/buffer/generation.ts';
const body = 'src/server/http/request/body.ts';

/** One fault each; rare ones happen to one batch of twenty or fifty. */
export const plantedFaults: readonly PlantedFault[] = [
  {
    name: 'rows-lent-over-an-await',
    what: 'the arrays of the parser are encoded one turn later, when another write may have filled them',
    edits: [
      {
        file: ingest,
        find: 'receipt.seal(encodeBatch(first.table.databaseId, rows.value, this.#definitions, fileNumber));',
        replace: 'receipt.seal(encodeBatch(first.table.databaseId, kept, this.#definitions, fileNumber));',
      },
      {
        file: ingest,
        find: 'const receipt = new BatchReceipt(rows.value, this.#deps.checkBatches === true);',
        replace: 'const kept = rows.value;\n    const receipt = new BatchReceipt(kept, this.#deps.checkBatches === true);',
      },
      {
        file: ingest,
        find: 'const durable = wal.append(encode, minTimeNs, maxTimeNs, (batch, fileNumber, index) => {',
        replace:
          'const later = new Promise<void>((go) => setImmediate(go));\n    const durable = later.then(() => wal.append(encode, minTimeNs, maxTimeNs, (batch, fileNumber, index) => {',
      },
      {
        file: ingest,
        find: 'durableRows.publish(origin, { fileNumber, index }, batch);\n    });',
        replace: 'durableRows.publish(origin, { fileNumber, index }, batch);\n    }));',
      },
    ],
  },
  {
    name: 'body-released-early',
    what: 'the memory of a body is given back while its write still waits for its turn',
    edits: [
      {
        file: body,
        find: '  try {\n    return await use(body);\n  } finally {\n    limits.memory.give(body);\n  }',
        replace: '  const result = use(body);\n  limits.memory.give(body);\n  return await result;',
      },
      {
        file: ingest,
        find: '    await buffer.ready();\n',
        replace: '    await buffer.ready();\n    await new Promise<void>((go) => setImmediate(go));\n',
      },
    ],
  },
  {
    name: 'gzip-buffer-reused',
    what: 'bodies are unzipped into one buffer that the next one overwrites',
    edits: [
      {
        file: body,
        find: 'return zipped.length <= INFLATE_IN_PLACE_BYTES_MAX ? gunzipSync(zipped, options) : await gunzipAsync(zipped, options);',
        replace:
          'const whole = zipped.length <= INFLATE_IN_PLACE_BYTES_MAX ? gunzipSync(zipped, options) : await gunzipAsync(zipped, options);\n    whole.copy(SHARED);\n    return SHARED.subarray(0, whole.length);',
      },
      {
        file: body,
        find: 'const gunzipAsync = promisify(gunzip);',
        replace: 'const gunzipAsync = promisify(gunzip);\nconst SHARED = Buffer.alloc(16 * 1024 * 1024);',
      },
    ],
  },
  {
    name: 'row-skipped-at-apply',
    what: 'one batch of 50 loses its newest row on the way into the buffer',
    edits: [
      {
        file: writeBuffer,
        find: '    table.apply(section);',
        replace:
          '    const skips = section.rowCount > 1 && Math.random() < 0.02;\n    table.apply(skips ? sectionRows(section, (timeNs) => timeNs !== section.maxTimeNs) : section);',
      },
      {
        file: writeBuffer,
        find: "import { decodeBatch, type TableSection } from '../batch/index.ts';",
        replace:
          "import { decodeBatch, type TableSection } from '../batch/index.ts';\nimport { sectionRows } from '../recovery/section-rows.ts';",
      },
    ],
  },
  {
    name: 'series-ids-swapped',
    what: 'the first and the last row of one batch of 50 change their tags',
    edits: [
      {
        file: tableBuffer,
        find: '    this.#active.add(section);\n',
        replace:
          '    if (Math.random() < 0.02) {\n      const ids = section.seriesIds;\n      const first = ids[0] as number;\n      ids[0] = ids[ids.length - 1] as number;\n      ids[ids.length - 1] = first;\n    }\n    this.#active.add(section);\n',
      },
    ],
  },
  {
    name: 'columns-shifted',
    what: 'two columns of one type change their values in one batch of 50',
    edits: [
      {
        file: 'src/write/batch/encode.ts',
        find: '  for (const column of table.columns) at = writeColumn(bytes, view, at, column, rows);',
        replace:
          '  const mixed = Math.random() < 0.02;\n  for (const column of table.columns) {\n    const other = mixed ? table.columns.find((one) => one !== column && one.column.type === column.column.type) : undefined;\n    at = writeColumn(bytes, view, at, other === undefined || other.nullCount > 0 || column.nullCount > 0 ? column : { ...other, column: column.column, valid: other.valid, nullCount: 0, data: other.data }, rows);\n  }',
      },
    ],
  },
  {
    name: 'batch-applied-twice',
    what: 'one batch of 50 goes into the buffer twice',
    edits: [
      {
        file: tableBuffer,
        find: '    this.#track(this.#active, section);',
        replace: '    this.#track(this.#active, section);\n    if (Math.random() < 0.02) this.#active.add(section);',
      },
    ],
  },
  {
    name: 'dirty-chunk-missed',
    what: 'one batch of 20 with repeated keys is not noticed as such, so that a key comes twice',
    edits: [
      {
        file: tableBuffer,
        find: '    if (doubtful.length > 0) {',
        replace: '    if (doubtful.length > 0 && Math.random() > 0.05) {',
      },
    ],
  },
  {
    name: 'flush-failure-loses-rows',
    what: 'moving rows into DuckDB fails now and then, and those that were under way are forgotten instead of moved again',
    edits: [
      {
        file: generation,
        find: '      this.#pending.rewind();\n',
        replace: '      this.#pending.flushed();\n',
      },
      {
        file: generation,
        find: '    this.#pending.moved(parts);\n',
        replace: "    this.#pending.moved(parts);\n    if (Math.random() < 0.01) throw new Error('planted');\n",
      },
    ],
  },
  {
    name: 'view-without-row-bound',
    what: 'a query reads rows that came after its view, without what was known of repeated keys then',
    edits: [
      {
        file: generation,
        find: 'parts: this.#table.parts(moment.rows, this.#sealed && moment.rows === this.#rows)',
        replace: 'parts: this.#table.parts(moment.rows, this.#sealed || moment.rows <= this.#rows)',
      },
    ],
  },
  {
    name: 'snapshot-remainder-dropped',
    what: 'rows of chunks that a snapshot leaves in the buffer are dropped with those that it persisted',
    edits: [
      {
        file: 'src/write/snapshot/snapshotter.ts',
        find: '  table.replace(generations, remainder);',
        replace: '  table.replace(generations, remainder === undefined ? remainder : undefined);',
      },
    ],
  },
  {
    name: 'wal-file-dropped-early',
    what: 'the log files that a snapshot covers are deleted before its files are written',
    edits: [
      {
        file: 'src/write/snapshot/snapshot-scheduler.ts',
        find: '    await runSnapshot(',
        replace: '    await wal.deleteCovered(plan.lastFileNumber, 0);\n    await runSnapshot(',
      },
    ],
  },
  {
    name: 'acknowledged-before-written',
    what: 'one group of 20 in the log is acknowledged before it is written',
    edits: [
      {
        file: 'src/write/wal/wal.ts',
        find: '        await group.durable;\n',
        replace: '        if (Math.random() < 0.05) group.durable.catch(() => undefined);\n        else await group.durable;\n',
      },
    ],
  },
  {
    name: 'replay-skips-last-record',
    what: 'the last record of each log file is not replayed',
    edits: [
      {
        file: 'src/write/wal/wal-replay.ts',
        find: 'for (const record of content.records) await onRecord(number, record.body, record.minTimeNs',
        replace: 'for (const record of content.records.slice(0, -1)) await onRecord(number, record.body, record.minTimeNs',
      },
    ],
  },
  {
    name: 'deletes-forgotten-at-restart',
    what: 'row deletes in the log are not done again at a start',
    edits: [
      {
        file: 'src/write/recovery/replay.ts',
        find: '        if (!this.#isAside(fileNumber, deleted)) this.#buffer',
        replace: '        if (this.#isAside(fileNumber, deleted)) this.#buffer',
      },
    ],
  },
  {
    name: 'refused-rows-kept',
    what: 'rows of a refused body that wait for their series are still there when the next body comes',
    edits: [
      {
        file: 'src/write/line-protocol/fast-lines.ts',
        find: '    this.#newSeries.begin();\n',
        replace: '',
      },
    ],
  },
  {
    name: 'retention-not-applied',
    what: 'queries show rows past their retention period until their file is removed',
    edits: [
      {
        file: 'src/write/write-store.ts',
        find: '    return period === undefined ? undefined : this.#options.clock.nowNs() - period;',
        replace: '    return period === undefined ? undefined : this.#options.clock.nowNs() - period * 1000n;',
      },
    ],
  },
  {
    name: 'columns-in-memory-lag',
    what: 'one batch of 50 is not followed by the columns in memory',
    edits: [
      {
        file: 'src/query/columns/column-store.ts',
        find: 'this.#unfollow = source.follow({ added: (section) => this.#added(section),',
        replace: 'this.#unfollow = source.follow({ added: (section) => (Math.random() < 0.02 ? undefined : this.#added(section)),',
      },
    ],
  },
  {
    name: 'delivered-twice',
    what: 'one write of 20 goes to a trigger twice',
    edits: [
      {
        file: 'src/processing/delivery/wal-delivery.ts',
        find: '      subscriber.deliver({',
        replace: '      for (let times = Math.random() < 0.05 ? 2 : 1; times > 0; times--) subscriber.deliver({',
      },
    ],
  },
  {
    name: 'delivery-left-out',
    what: 'one write of 20 does not go to its trigger, although its queue has room',
    edits: [
      {
        file: 'src/processing/delivery/wal-queue.ts',
        find: '    this.#batches.push(batch);',
        replace: '    if (Math.random() >= 0.05) this.#batches.push(batch);',
      },
    ],
  },
  {
    name: 'delivery-out-of-order',
    what: 'of several writes that wait for a trigger, the newest comes first',
    edits: [
      {
        file: 'src/processing/delivery/wal-queue.ts',
        find: '    return taken;',
        replace: '    return taken.reverse();',
      },
    ],
  },
];
