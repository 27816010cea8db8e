/** LIMIT and OFFSET. */
import { fillConstant } from './fill.ts';
import { keyNames, type MeasurementRows, partitionBy, rowOrder, type SelectPlan } from './plan.ts';

/** The first rows of each series. */
export function limited(plan: SelectPlan, rows: MeasurementRows): MeasurementRows {
  const { limit, offset } = plan.select;
  if (limit === undefined && offset === undefined) return rows;
  if (limit === 0n) return { ...rows, sql: `SELECT * FROM (${rows.sql}) WHERE false` };
  if (!plan.asV1) return limitedColumns(plan, rows);
  return hasCallRows(plan) ? rows : limitedRows(plan, rows);
}

/** InfluxDB 1 limits the rows of each call for itself (call-rows.ts). */
function hasCallRows({ analysis, bins }: SelectPlan): boolean {
  return (
    analysis.windows.length > 0 ||
    (bins !== undefined && (analysis.kind === 'aggregate' || (analysis.kind === 'selector' && !analysis.hasColumns)))
  );
}

function limitedRows(plan: SelectPlan, rows: MeasurementRows): MeasurementRows {
  const { limit, offset = 0n } = plan.select;
  const keys = keyNames(plan);
  if (keys.length === 0) return firstRows(plan, rows, 'true');
  const order = rowOrder(plan, rows.ties);
  const number = `row_number() OVER (${partitionBy(keys)}ORDER BY ${order})`;
  const end = limit === undefined ? '' : ` AND ${number} <= ${offset + limit}`;
  return { ...rows, sql: `SELECT * FROM (${rows.sql}) QUALIFY ${number} > ${offset}${end}` };
}

/**
 * As InfluxDB 3 Core counts, per series and column: a value outside the limits is replaced by NULL (or what fills gaps), a row stays while
 * one of its columns is inside. Tags are not counted.
 */
function limitedColumns(plan: SelectPlan, rows: MeasurementRows): MeasurementRows {
  const { limit, offset } = plan.select;
  const keys = keyNames(plan);
  const gapFilled =
    plan.bins !== undefined && plan.fill?.kind !== 'none' && plan.analysis.kind !== 'top' && plan.analysis.kind !== 'distinct';
  const counted = rows.columns.filter(({ type }) => type !== 'tag' && type !== 'null');
  const [only, ...others] = counted;
  if (keys.length === 0 && only !== undefined && others.length === 0 && !gapFilled)
    return firstRows(plan, rows, `${only.sqlName} IS NOT NULL`);
  const over = `OVER (${partitionBy(keys)}ORDER BY ${rowOrder(plan, rows.ties)} ROWS UNBOUNDED PRECEDING)`;
  const counts = counted.map(({ sqlName }) => `count(${gapFilled ? '*' : sqlName}) ${over} AS n_${sqlName}`);
  const first = offset ?? 0n;
  const inside = (name: string): string =>
    `n_${name} > ${first}${limit === undefined ? '' : ` AND n_${name} <= ${first + limit}`}${gapFilled ? '' : ` AND ${name} IS NOT NULL`}`;
  const outputs = rows.columns.map(({ sqlName, type }) => {
    if (!counted.some((column) => column.sqlName === sqlName)) return sqlName;
    const outside = fillConstant(plan, type) ?? 'NULL';
    return `CASE WHEN ${inside(sqlName)} THEN ${sqlName} ELSE ${outside} END AS ${sqlName}`;
  });
  const some = counted.map(({ sqlName }) => `(${inside(sqlName)})`).join(' OR ');
  const numbered = `SELECT *, ${counts.join(', ')} FROM (${rows.sql})`;
  return { ...rows, sql: `SELECT ${[...keys, 't', ...rows.ties, ...outputs].join(', ')} FROM (${numbered}) WHERE ${some}` };
}

/** Rows of one series: the first ones are found without sorting and counting all. */
function firstRows(plan: SelectPlan, rows: MeasurementRows, condition: string): MeasurementRows {
  const { limit, offset } = plan.select;
  const order = rowOrder(plan, rows.ties);
  const end = `${limit === undefined ? '' : ` LIMIT ${limit}`}${offset === undefined ? '' : ` OFFSET ${offset}`}`;
  return { ...rows, sql: `SELECT * FROM (${rows.sql}) WHERE ${condition} ORDER BY ${order}${end}` };
}
