import { isNumeric, type TableData, timeSeconds } from './table-data.ts';

/** Lines that one chart shows. */
export const SERIES_MAX = 40;

export interface ChartSeries {
  readonly label: string;
  /** One value for each time; null = a gap, undefined = this series has no row at the time. */
  readonly values: (number | null | undefined)[];
}

export interface ChartData {
  /** Seconds since 1970, ascending, each once. */
  readonly times: readonly number[];
  readonly series: readonly ChartSeries[];
  /** Series that are not shown. */
  readonly hidden: number;
}

/** What a chart of a result can show, or why there is none: a line for each number column and each combination of the other columns. */
export function chartData(data: TableData): ChartData | string {
  const timeColumn = data.columns.findIndex((values) => !Number.isNaN(timeSeconds(values.find((value) => value !== '') ?? '')));
  if (timeColumn === -1) return 'A chart needs a column of times and one of numbers: select time, or date_bin(…) AS time.';
  const others = data.names.map((_, index) => index).filter((index) => index !== timeColumn);
  const numbers = others.filter((index) => isNumeric(data.columns[index] ?? []));
  if (numbers.length === 0) return 'A chart needs a column of numbers beside the times.';
  const groups = others.filter(
    (index) => !numbers.includes(index) && data.columns[index]?.some((value) => Number.isNaN(timeSeconds(value))),
  );
  const rowTimes = (data.columns[timeColumn] ?? []).map(timeSeconds);
  const times = [...new Set(rowTimes.filter((time) => !Number.isNaN(time)))].sort((a, b) => a - b);
  const placeOf = new Map(times.map((time, index) => [time, index]));
  const series = new Map<string, ChartSeries>();
  let hidden = 0;
  const seen = new Set<string>();
  for (let row = 0; row < data.rowCount; row += 1) {
    const place = placeOf.get(rowTimes[row] ?? Number.NaN);
    if (place === undefined) continue;
    const group = groups.map((column) => data.cell(row, column)).join(' · ');
    for (const column of numbers) {
      const name = data.names[column] ?? '';
      const label = group === '' ? name : numbers.length === 1 ? group : `${name} · ${group}`;
      let line = series.get(label);
      if (line === undefined) {
        if (series.size === SERIES_MAX) {
          if (!seen.has(label)) hidden += 1;
          seen.add(label);
          continue;
        }
        line = { label, values: new Array<number | null | undefined>(times.length).fill(undefined) };
        series.set(label, line);
      }
      const text = data.cell(row, column);
      line.values[place] = text === '' ? null : Number(text);
    }
  }
  return { times, series: [...series.values()], hidden };
}
