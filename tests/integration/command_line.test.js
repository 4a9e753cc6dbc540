/* The program from the outside: its flags, its configuration, and what it says about a bad one. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { folder } from '../support/folder.js';
import { configuration, runSluice } from '../support/sluice.js';

const REDIS = 'redis://user:pass-canary@127.0.0.1:1/0';

async function configFile(t, text) {
  const file = join(await folder(t), 'sluice.json');
  await writeFile(file, typeof text === 'string' ? text : JSON.stringify(text, null, 2));
  return file;
}

test('--version says which', async () => {
  const { status, stdout } = await runSluice(['--version']);
  assert.equal(status, 0);
  assert.match(stdout, /^sluice \d+\.\d+\.\d+$/);
});

test('--help names every flag', async () => {
  const { status, stdout } = await runSluice(['--help']);
  assert.equal(status, 0);
  for (const flag of ['--config', '--dev', '--check', '--print-config', '--listen', '--redis-url',
    '--workers', '--log-level', '--version', '--help'])
    assert.ok(stdout.includes(flag), flag);
  assert.deepEqual((await runSluice(['-h'])).stdout, stdout);
});

test('an unknown flag is refused with 1', async () => {
  const { status, stderr } = await runSluice(['--colour']);
  assert.equal(status, 1);
  assert.match(stderr, /--colour/);
});

test('a flag without its value is refused with 1', async () => {
  assert.equal((await runSluice(['--config'])).status, 1);
});

describe('--check', () => {
  test('a good configuration: 0', async t => {
    const { status } = await runSluice(['--check', '--config', await configFile(t, configuration(REDIS))]);
    assert.equal(status, 0);
  });

  test('comments are allowed', async t => {
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
    'a fraction where there is none': [{ workers: 1.5 }, /workers/],
    'an address that is none': [{ listen: 'nowhere:http' }, /listen/],
    'a path without a slash': [{ path: 'ws' }, /path/],
    'a Redis URL of another kind': [{ redis: { url: 'http://x' } }, /redis\.url/],
    'no secrets': [{ session: { secrets: [] } }, /session\.secrets/],
    'a preset nobody knows': [{ session: { preset: 'cobol' } }, /session\.preset/],
    'an origin with a path': [{ origins: ['https://a.example/x'] }, /origins/],
    'a rule with * in the middle': [{ channels: [{ match: 'a*b', allow: 'session' }] }, /channels/],
    'a rule without allow': [{ channels: [{ match: 'a' }] }, /channels/],
    'auto with *': [{ channels: [{ match: 'a:*', allow: 'session', auto: true }] }, /channels/],
    'half of TLS': [{ tls: { certificate: 'cert.pem' } }, /tls/],
    'a log level nobody knows': [{ log: { level: 'loud' } }, /log\.level/],
  };
  for (const [what, [own, named]] of Object.entries(bad))
    test(`${what}: 1, and the key is named with its file`, async t => {
      const file = await configFile(t, configuration(REDIS, own));
      const { status, stdout, stderr } = await runSluice(['--check', '--config', file]);
      assert.equal(status, 1);
      assert.match(stdout + stderr, named);
      assert.ok((stdout + stderr).includes(file), stdout + stderr);
    });

  test('JSON that is none: 1, with file and line', async t => {
    const file = await configFile(t, '{\n  "listen": "127.0.0.1:0",\n  "workers" 2\n}\n');
    const { status, stdout, stderr } = await runSluice(['--check', '--config', file]);
    assert.equal(status, 1);
    assert.ok((stdout + stderr).includes(`${file}:3`), stdout + stderr);
  });

  test('every problem is told, each with its line', async t => {
    const file = await configFile(t, '{\n  "redis": { "url": "redis://127.0.0.1" },\n'
      + '  "workers": "x",\n  "colour": 1,\n  "session": { "secrets": ["s"] }\n}\n');
    const { stdout, stderr } = await runSluice(['--check', '--config', file]);
    assert.ok((stdout + stderr).includes(`${file}:3: workers`), stdout + stderr);
    assert.ok((stdout + stderr).includes(`${file}:4: colour`), stdout + stderr);
  });

  test('a file that is not there: 1', async () => {
    const { status, stderr, stdout } = await runSluice(['--check', '--config', '/nowhere/sluice.json']);
    assert.equal(status, 1);
    assert.match(stdout + stderr, /\/nowhere\/sluice\.json/);
  });
});

test('a bad configuration is not served: exit 1', async t => {
  const file = await configFile(t, configuration(REDIS, { workers: 'x' }));
  const { status, stderr } = await runSluice(['--config', file]);
  assert.equal(status, 1);
  assert.match(stderr, /workers/);
});

test('a bad environment variable is refused by its name', async t => {
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

  test('is JSON, with the defaults filled in and every secret masked', async t => {
    const { text, config } = await printed(t, { own: { session: { secrets: ['secret-canary', 'another-canary'] } } });
    assert.equal(config.path, '/ws');
    assert.equal(config.session.cookie, 'connect.sid');
    assert.equal(config.limits.queue_bytes, 1048576);
    assert.doesNotMatch(text, /canary/);
  });

  test('a flag is over the environment, that over the file, that over the default', async t => {
    const own = { workers: 1 };
    const env = { SLUICE_WORKERS: '2' };
    assert.equal((await printed(t, { own })).config.workers, 1);
    assert.equal((await printed(t, { own, env })).config.workers, 2);
    assert.equal((await printed(t, { own, env, args: ['--workers', '3'] })).config.workers, 3);
  });

  test('lists and objects are JSON text in the environment', async t => {
    const { config } = await printed(t, { env: {
      SLUICE_ORIGINS: '["https://a.example"]',
      SLUICE_CHANNELS: '[{"match":"x","allow":"anyone"}]',
      SLUICE_HEARTBEAT_INTERVAL: '7.5' } });
    assert.deepEqual(config.origins, ['https://a.example']);
    assert.equal(config.channels[0].match, 'x');
    assert.equal(config.heartbeat.interval, 7.5);
  });

  test('a secret from a file is read and masked', async t => {
    const secret = join(await folder(t), 'session');
    await writeFile(secret, 'file-canary\n');
    const { text } = await printed(t, { own: { session: { secrets: [`file:${secret}`] } } });
    assert.doesNotMatch(text, /file-canary/);
  });

  test('what is printed can be checked again', async t => {
    const { config } = await printed(t);
    config.redis.url = REDIS;
    config.session.secrets = ['s'];
    const file = await configFile(t, config);
    const { status, stderr, stdout } = await runSluice(['--check', '--config', file]);
    assert.equal(status, 0, stdout + stderr);
  });
});

test('a port that is taken: exit 2, and the address is named', async t => {
  const server = createServer();
  await new Promise(resolve => server.listen(0, '127.0.0.1', resolve));
  t.after(() => server.close());
  const listen = `127.0.0.1:${server.address().port}`;
  const file = await configFile(t, configuration(REDIS, { listen }));
  const { status, stderr } = await runSluice(['--config', file]);
  assert.equal(status, 2);
  assert.ok(stderr.includes(listen), stderr);
});

test('a certificate that is not there: exit 1 or 2, and the file is named', async t => {
  const file = await configFile(t, configuration(REDIS, {
    tls: { certificate: '/nowhere/cert.pem', key: '/nowhere/key.pem' } }));
  const { status, stderr } = await runSluice(['--config', file]);
  assert.ok([1, 2].includes(status), `${status}`);
  assert.match(stderr, /\/nowhere\/cert\.pem/);
});
