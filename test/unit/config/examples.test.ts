import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { CommandModel } from '../../../src/cli/command-model.ts';
import { rootCommand } from '../../../src/cli/root.ts';
import { serveOptionEntries } from '../../../src/config/index.ts';

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', '..', '..');
const read = (name: string): string => readFileSync(join(root, 'docs', 'examples', name), 'utf8');
const specs = serveOptionEntries().map(([, spec]) => spec);

/** Instructions of a Dockerfile with their arguments; lines that go on are joined, comments left out. */
function instructions(text: string): (readonly [name: string, rest: string])[] {
  const lines = text
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replace(/\\\n\s*/g, '')
    .split('\n')
    .filter((line) => line.trim() !== '');
  return lines.map((line) => {
    const [, name = '', rest = ''] = /^([A-Z]+) (.*)$/.exec(line) ?? [];
    return [name, rest] as const;
  });
}

/** Fails when the program has no such command, or the command no such option. */
function assertCommand(words: readonly string[]): void {
  let at: CommandModel = rootCommand();
  for (const word of words) {
    const found: CommandModel | undefined = at.kind === 'group' ? at.children.find(({ name }) => name === word) : undefined;
    if (found !== undefined) at = found;
    else if (word.startsWith('--')) {
      const known = [...at.options, ...specs].some(({ flag, flagAliases = [] }) => [flag, ...flagAliases].includes(word.slice(2)));
      assert.ok(known, `influxdb3 ${at.name} has no ${word}`);
    }
  }
  assert.equal(at.kind, 'leaf', `influxdb3 ${words.join(' ')} is no command`);
}

describe('files of docs/examples', () => {
  const docker = instructions(read('Dockerfile'));
  const rest = (name: string): string => docker.find(([each]) => each === name)?.[1] ?? assert.fail(`no ${name}`);

  it('each is linked from docs/operations.md, and what is linked is there', () => {
    const page = readFileSync(join(root, 'docs', 'operations.md'), 'utf8');
    const linked = new Set([...page.matchAll(/\]\(examples\/([^)]+)\)/g)].map(([, name = '']) => name));
    assert.deepEqual([...linked].sort(), readdirSync(join(root, 'docs', 'examples')).sort());
  });

  it('the Dockerfile has known instructions, variables and commands, a user of no power, and its volume is the data directory', () => {
    const known = ['FROM', 'COPY', 'RUN', 'USER', 'VOLUME', 'EXPOSE', 'ENV', 'HEALTHCHECK', 'ENTRYPOINT', 'CMD'];
    assert.deepEqual(
      docker.filter(([name]) => !known.includes(name)),
      [],
    );
    assert.match(rest('FROM'), /^node:(?:2[2-9])-slim$/);
    const variables = new Map([...rest('ENV').matchAll(/(\w+)=(\S+)/g)].map(([, name = '', value = '']) => [name, value]));
    const names = specs.flatMap(({ env, envAliases = [] }) => [...(env === undefined ? [] : [env]), ...envAliases]);
    for (const name of variables.keys()) assert.ok(names.includes(name), name);
    assert.equal(variables.get('INFLUXDB3_DB_DIR'), rest('VOLUME'));
    assert.ok(rest('RUN').includes(`chown node:node ${rest('VOLUME')}`));
    assert.equal(rest('USER'), 'node');
    assert.equal(rest('EXPOSE'), '8181');
    const words = (name: string): string[] => JSON.parse(/\[.*\]/.exec(rest(name))?.[0] ?? '[]') as string[];
    assertCommand([...words('ENTRYPOINT'), ...words('CMD')].slice(1));
    const [program = '', ...check] = words('HEALTHCHECK');
    assert.equal(program, 'influxdb3');
    assertCommand(check);
    for (const [option] of rest('HEALTHCHECK').matchAll(/--[a-z-]+/g))
      assert.ok(['--interval', '--timeout', '--start-period'].includes(option), option);
  });

  it('the package has the name that the Dockerfile copies', () => {
    const { name } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { name: string };
    assert.equal(rest('COPY'), `${name}-*.tgz /tmp/`);
    assert.ok(rest('RUN').includes(`/tmp/${name}-*.tgz`));
  });

  it('the compose file builds that Dockerfile, keeps its volume, and publishes its port on this machine only', () => {
    const compose = read('compose.yaml');
    assert.ok(!compose.includes('\t'));
    assert.match(compose, /^ {4}build: \.$/m);
    assert.ok(existsSync(join(root, 'docs', 'examples', 'Dockerfile')));
    const volume = /^ {6}- (\w+):(\S+)$/m.exec(compose) ?? assert.fail('no volume');
    assert.equal(volume[2], rest('VOLUME'));
    assert.match(compose, new RegExp(`^volumes:\\n {2}${volume[1]}:$`, 'm'));
    assert.match(compose, new RegExp(`^ {6}- "127\\.0\\.0\\.1:8181:${rest('EXPOSE')}"$`, 'm'));
    for (const [, key = ''] of compose.matchAll(/^ {4}(\w+):/gm))
      assert.ok(['build', 'restart', 'ports', 'volumes', 'stop_grace_period', 'mem_limit'].includes(key), key);
  });

  it('the systemd unit starts a command that there is, with its options, and waits for readiness', () => {
    const unit = read('influxdb3.service');
    const command = /^ExecStart=\/usr\/bin\/env influxdb3 (.*)$/m.exec(unit)?.[1] ?? assert.fail('no ExecStart');
    assertCommand(command.split(' '));
    assert.match(unit, /^Type=notify$/m);
    const state = /^StateDirectory=(\S+)$/m.exec(unit)?.[1];
    assert.ok(command.includes(`--data-dir /var/lib/${state} `));
  });

  it('the nginx file keeps gRPC and HTTP in groups of their own, both to the default port, and buffers nothing', () => {
    const nginx = read('nginx.conf');
    const groups = [...nginx.matchAll(/^upstream (\w+) \{\n {2}server (\S+);/gm)].map(([, name, address]) => [name, address]);
    assert.deepEqual(groups, [
      ['influxdb3', '127.0.0.1:8181'],
      ['influxdb3_flight', '127.0.0.1:8181'],
    ]);
    assert.match(nginx, /proxy_pass http:\/\/influxdb3;/);
    assert.match(nginx, /location \/arrow\.flight\.protocol\.FlightService\/ \{\n {4}grpc_pass grpc:\/\/influxdb3_flight;/);
    assert.ok(nginx.includes('proxy_buffering off;') && nginx.includes('proxy_request_buffering off;'));
    assert.equal(nginx.match(/\{/g)?.length, nginx.match(/\}/g)?.length);
  });
});
