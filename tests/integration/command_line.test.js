/* The command line: the flags, and what is said about a bad configuration. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { folder } from '../support/folder.js';
import { listen } from '../support/serving.js';
import { configuration, runSluice } from '../support/sluice.js';

const REDIS = 'redis://user:pass-canary@127.0.0.1:1/0';

async function configFile(t, text) {
  const file = join(await folder(t), 'sluice.json');
  await writeFile(file, typeof text === 'string' ? text : JSON.stringify(text, null, 2));
  return file;
}

test('--version prints the version', async () => {
  const { status, stdout } = await runSluice(['--version']);
  assert.equal(status, 0);
  assert.match(stdout, /^sluice \d+\.\d+\.\d+$/);
});

test('--help names every flag', async () => {
  const { status, stdout } = await runSluice(['--help']);
  assert.equal(status, 0);
  for (const flag of ['--config', '--dev', '--check', '--print-config', '--print-settings', '--listen', '--redis-url',
    '--workers', '--log-level', '--version', '--help'])
    assert.ok(stdout.includes(flag), flag);
  assert.deepEqual((await runSluice(['-h'])).stdout, stdout);
});

test('exits with 1 on an unknown flag', async () => {
  const { status, stderr } = await runSluice(['--colour']);
  assert.equal(status, 1);
  assert.match(stderr, /--colour/);
});

test('exits with 1 on a flag without its value', async () => {
  assert.equal((await runSluice(['--config'])).status, 1);
});

describe('--check', () => {
  test('exits with 0 on a good configuration', async t => {
    const { status } = await runSluice(['--check', '--config', await configFile(t, configuration(REDIS))]);
    assert.equal(status, 0);
  });

  test('allows comments', async t => {
    const text = JSON.stringify(configuration(REDIS), null, 2);
    const file = await configFile(t, `// the gateway\n${text.replace('\n', '\n  /* all\n of it */\n')}`);
    assert.equal((await runSluice(['--check', '--config', file])).status, 0);
  });

  const bad = {
    'an unknown key': [{ colour: 'red' }, /colour/],
    'an unknown key inside': [{ limits: { conections: 3 } }, /limits\.conections/],
    'a string in place of a number': [{ workers: 'two' }, /workers/],
    'a number in place of a string': [{ listen: 8080 }, /listen/],
    'a number out of range': [{ limits: { queue_bytes: -1 } }, /limits\.queue_bytes/],
    'a fraction in place of a whole number': [{ workers: 1.5 }, /workers/],
    'a bad address': [{ listen: 'nowhere:http' }, /listen/],
    'a path without a slash': [{ path: 'ws' }, /path/],
    'a Redis URL with another scheme': [{ redis: { url: 'http://x' } }, /redis\.url/],
    'no secrets': [{ session: { secrets: [] } }, /session\.secrets/],
    'an unknown preset': [{ session: { preset: 'cobol' } }, /session\.preset/],
    'an origin with a path': [{ origins: ['https://a.example/x'] }, /origins/],
    'a rule with * in the middle': [{ channels: [{ match: 'a*b', allow: 'session' }] }, /channels/],
    'a rule without allow': [{ channels: [{ match: 'a' }] }, /channels/],
    'auto with *': [{ channels: [{ match: 'a:*', allow: 'session', auto: true }] }, /channels/],
    'a certificate without a key': [{ tls: { certificate: 'cert.pem' } }, /tls/],
    'an unknown log level': [{ log: { level: 'loud' } }, /log\.level/],
  };
  for (const [what, [own, named]] of Object.entries(bad))
    test(`exits with 1 on ${what}, and names the file and the key`, async t => {
      const file = await configFile(t, configuration(REDIS, own));
      const { status, stdout, stderr } = await runSluice(['--check', '--config', file]);
      assert.equal(status, 1);
      assert.match(stdout + stderr, named);
      assert.ok((stdout + stderr).includes(file), stdout + stderr);
    });

  test('exits with 1 on a file that is not JSON, and names the file and the line', async t => {
    const file = await configFile(t, '{\n  "listen": "127.0.0.1:0",\n  "workers" 2\n}\n');
    const { status, stdout, stderr } = await runSluice(['--check', '--config', file]);
    assert.equal(status, 1);
    assert.ok((stdout + stderr).includes(`${file}:3`), stdout + stderr);
  });

  test('reports every problem with its line', async t => {
    const file = await configFile(t, '{\n  "redis": { "url": "redis://127.0.0.1" },\n'
      + '  "workers": "x",\n  "colour": 1,\n  "session": { "secrets": ["s"] }\n}\n');
    const { stdout, stderr } = await runSluice(['--check', '--config', file]);
    assert.ok((stdout + stderr).includes(`${file}:3: workers`), stdout + stderr);
    assert.ok((stdout + stderr).includes(`${file}:4: colour`), stdout + stderr);
  });

  test('exits with 1 if the file does not exist, and names it', async () => {
    const { status, stderr, stdout } = await runSluice(['--check', '--config', '/nowhere/sluice.json']);
    assert.equal(status, 1);
    assert.match(stdout + stderr, /\/nowhere\/sluice\.json/);
  });
});

test('exits with 1 if the configuration is bad', async t => {
  const file = await configFile(t, configuration(REDIS, { workers: 'x' }));
  const { status, stderr } = await runSluice(['--config', file]);
  assert.equal(status, 1);
  assert.match(stderr, /workers/);
});

test('names a bad environment variable', async t => {
  const file = await configFile(t, configuration(REDIS));
  const { status, stdout, stderr } = await runSluice(['--check', '--config', file], {
    env: { SLUICE_LIMITS_QUEUE_BYTES: 'many' } });
  assert.equal(status, 1);
  assert.match(stdout + stderr, /SLUICE_LIMITS_QUEUE_BYTES/);
});

describe('--print-config', () => {
  async function printed(t, { own = {}, args = [], env = {} } = {}) {
    const file = await configFile(t, configuration(REDIS, own));
    const { status, stdout, stderr } = await runSluice(['--print-config', '--config', file, ...args], { env });
    assert.equal(status, 0, stderr);
    return { text: stdout, config: JSON.parse(stdout) };
  }

  test('prints JSON with defaults filled in and secrets masked', async t => {
    const { text, config } = await printed(t, { own: { session: { secrets: ['secret-canary', 'another-canary'] } } });
    assert.equal(config.path, '/ws');
    assert.equal(config.session.cookie, 'connect.sid');
    assert.equal(config.limits.queue_bytes, 1048576);
    assert.doesNotMatch(text, /canary/);
  });

  test('a flag overrides the environment, which overrides the file', async t => {
    const own = { workers: 1 };
    const env = { SLUICE_WORKERS: '2' };
    assert.equal((await printed(t, { own })).config.workers, 1);
    assert.equal((await printed(t, { own, env })).config.workers, 2);
    assert.equal((await printed(t, { own, env, args: ['--workers', '3'] })).config.workers, 3);
  });

  test('takes lists and objects as JSON from the environment', async t => {
    const { config } = await printed(t, { env: {
      SLUICE_ORIGINS: '["https://a.example"]',
      SLUICE_CHANNELS: '[{"match":"x","allow":"anyone"}]',
      SLUICE_HEARTBEAT_INTERVAL: '7.5' } });
    assert.deepEqual(config.origins, ['https://a.example']);
    assert.equal(config.channels[0].match, 'x');
    assert.equal(config.heartbeat.interval, 7.5);
  });

  test('masks a secret that is read from a file', async t => {
    const secret = join(await folder(t), 'session');
    await writeFile(secret, 'file-canary\n');
    const { text } = await printed(t, { own: { session: { secrets: [`file:${secret}`] } } });
    assert.doesNotMatch(text, /file-canary/);
  });

  test('prints a configuration that --check accepts once the secrets are filled in', async t => {
    const { config } = await printed(t);
    config.redis.url = REDIS;
    config.session.secrets = ['s'];
    const file = await configFile(t, config);
    const { status, stderr, stdout } = await runSluice(['--check', '--config', file]);
    assert.equal(status, 0, stdout + stderr);
  });
});

describe('--print-settings', () => {
  /* The keys of a configuration, "limits.queue_bytes" for those in a group. */
  const keysOf = config => Object.entries(config).flatMap(([key, value]) => (
    Array.isArray(value) || typeof value !== 'object' ? [key] : Object.keys(value).map(name => `${key}.${name}`)));

  /* The cells of a row; a pipe that is escaped is part of its cell. */
  const cellsOf = row => row.replaceAll('\\|', '').split('|').slice(1, -1).map(cell => cell.trim());

  test('prints a row for every key, without reading a configuration', async t => {
    const { status, stdout } = await runSluice(['--print-settings', '--config', '/nowhere/sluice.json']);
    assert.equal(status, 0);
    const keys = [...stdout.matchAll(/^\| `([\w.]+)` \|/gm)].map(([, key]) => key);
    const file = await configFile(t, configuration(REDIS));
    const { stdout: config } = await runSluice(['--print-config', '--config', file]);
    assert.deepEqual(keys.sort(), keysOf(JSON.parse(config)).sort());
    assert.equal((await runSluice(['--print-settings'])).stdout, stdout);
  });

  test('prints Markdown: a table for each group, with the same number of cells in each row', async () => {
    const { stdout } = await runSluice(['--print-settings']);
    const [top, limits] = ['Top level', 'limits'].map(title => stdout.split(`### ${title}\n\n`)[1].split('\n\n')[0]);
    assert.match(top, /^\| `listen` \|/m);
    assert.match(limits, /^\| `limits\.queue_bytes` \|.* 1024 to 1073741824 \| `1048576` \| `SLUICE_LIMITS_QUEUE_BYTES` \|/m);
    for (const line of stdout.trimEnd().split('\n').filter(line => !/^(### [\w ]+)?$/.test(line))) {
      const cells = cellsOf(line);
      assert.equal(cells.length, 5, line);
      assert.ok(cells.every(cell => cell.length > 2), line);
    }
  });
});

test('exits with 2 if the port is taken, and names the address', async t => {
  const address = `127.0.0.1:${await listen(t, createServer())}`;
  const file = await configFile(t, configuration(REDIS, { listen: address }));
  const { status, stderr } = await runSluice(['--config', file]);
  assert.equal(status, 2);
  assert.ok(stderr.includes(address), stderr);
});

test('exits with 1 or 2 if the certificate does not exist, and names the file', async t => {
  const file = await configFile(t, configuration(REDIS, {
    tls: { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' } }));
  const { status, stderr } = await runSluice(['--config', file]);
  assert.ok([1, 2].includes(status), `${status}`);
  assert.match(stderr, /\/nowhere\/cert\.pem/);
});
