/** Shapes of the line protocol benchmark: same seed, same bytes. */
export type ShapeName = 'cpu100' | 'cpu4000' | 'narrow' | 'wide' | 'strings';

export const SHAPE_NAMES: readonly ShapeName[] = ['cpu100', 'cpu4000', 'narrow', 'wide', 'strings'];

type LineOf = (series: number, seconds: number) => string;

const START_SECS = 1704067200;
const STEP_SECS = 10;
const REGIONS = ['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1', 'ap-southeast-1', 'sa-east-1'];
const INTEGERS = ['usage_user', 'usage_system', 'usage_idle', 'usage_nice', 'usage_iowait'];
const FLOATS = ['usage_irq', 'usage_softirq', 'usage_steal', 'usage_guest', 'usage_guest_nice'];
const WORDS = 'request handled by upstream worker after retry cache miss for key session token refreshed user login failed'.split(' ');

/** `rows` lines of a shape, time-major: all series at one time, then the next. */
export function generate(name: ShapeName, rows: number): Buffer {
  const random = randomSource(42);
  const [series, line] = shapeOf(name, random);
  const lines: string[] = [];
  for (let row = 0; row < rows; row++) lines.push(line(row % series, START_SECS + Math.floor(row / series) * STEP_SECS));
  return Buffer.from(lines.join(''));
}

function shapeOf(name: ShapeName, random: () => number): [series: number, line: LineOf] {
  switch (name) {
    case 'cpu100':
      return [100, cpu(100, random)];
    case 'cpu4000':
      return [4000, cpu(4000, random)];
    case 'narrow':
      return [1000, (s, t) => `temp,sensor=s${s} value=${cents(20 + random() * 5)} ${t}000000000\n`];
    case 'wide':
      return [50, wide(random)];
    case 'strings':
      return [200, strings(random)];
  }
}

function cpu(series: number, random: () => number): LineOf {
  const keys = Array.from({ length: series }, (_, host) => {
    const region = pick(REGIONS, random);
    return (
      `cpu,hostname=host_${host},region=${region},datacenter=${region}a,rack=${whole(random, 100)},os=Ubuntu16.04LTS,arch=x64,` +
      `team=NYC,service=${whole(random, 20)},service_version=${whole(random, 2)},service_environment=production `
    );
  });
  return (s, t) => {
    const integers = INTEGERS.map((field) => `${field}=${whole(random, 100)}i`);
    const floats = FLOATS.map((field) => `${field}=${cents(random() * 100)}`);
    return `${keys[s]}${[...integers, ...floats].join(',')} ${t}000000000\n`;
  };
}

function wide(random: () => number): LineOf {
  const names = Array.from({ length: 100 }, (_, i) => `metric_${String(i).padStart(3, '0')}`);
  return (s, t) => {
    const fields = names.map((name, i) => (i & 1 ? `${name}=${whole(random, 1000)}i` : `${name}=${Math.round(random() * 1e6) / 1000}`));
    return `wide,device=dev_${s},site=site_${s % 10},line=line_${s % 5},model=m${s % 4},fw=${s % 3}.${s % 10} ${fields.join(',')} ${t}000000000\n`;
  };
}

function strings(random: () => number): LineOf {
  return (s, t) => {
    let message = Array.from({ length: 6 + whole(random, 10) }, () => pick(WORDS, random)).join(' ');
    if (whole(random, 8) === 0) message += ' path=\\"/a\\\\b\\"';
    if (whole(random, 16) === 0) message += ' – größe ✓';
    const level = pick(['debug', 'info', 'warn', 'error'], random);
    const key = `logs,host=web\\ ${s},app=app\\,${s % 8},zone=z\\=${s % 4}`;
    return `${key} message="${message}",level="${level}",status=200i,duration=${cents(random() * 1000)},ok=t ${t}000000000\n`;
  };
}

function cents(value: number): number {
  return Math.round(value * 100) / 100;
}

function whole(random: () => number, limit: number): number {
  return Math.floor(random() * limit);
}

function pick(list: readonly string[], random: () => number): string {
  return list[whole(random, list.length)] ?? '';
}

/** Park-Miller: enough for test data. */
function randomSource(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}
