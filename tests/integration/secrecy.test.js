/* The log contains no secret at any level: no session id, no cookie, no payload, no password. Each secret of
 * these tests contains the word "canary". */
import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, open, readFile, writeFile } from 'node:fs/promises';
import { connect as connectTcp } from 'node:net';
import { describe, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { P256, RSA, makeCertificates } from '../support/certificates.js';
import { OPCODE, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { cookieFor, logIn, putSession } from '../support/sessions.js';
import { BINARY, configuration, startSluice } from '../support/sluice.js';
import { until, withResolvers } from '../support/wait.js';

for (const format of ['text', 'json'])
  describe(`the log as ${format}`, () => {
    test('contains no secret', async t => {
      const secret = 'secret-canary';
      const redis = await startRedis(t, {
        requirepass: 'password-canary', cliArguments: ['-a', 'password-canary', '--no-auth-warning'] });
      const sluice = await startSluice(t, redis.url.replace('//', '//:password-canary@'), {
        log: { level: 'debug', format }, session: { secrets: [secret] }, limits: { message_bytes: 1024 } });
      const refused = async cookie => {
        const client = await sluice.connect();
        client.write(handshake({ headers: { Cookie: cookie } }));
        assert.equal((await client.answer()).status, 401);
      };

      const cookie = await logIn(redis, { userId: 'user' }, { id: 'id-canary', secret });
      const browser = await sluice.open({ cookie });
      await redis.cli('PUBLISH', 'news', 'payload-canary');
      assert.equal(await browser.next(), 'payload-canary');
      browser.socket.send('message-canary');
      await refused('connect.sid=s%3Aforged-canary.signature-canary');
      await refused('connect.sid=canary');
      await refused(cookieFor('gone-canary', { secret }));
      await putSession(redis, 'broken-canary', '{"broken-canary');
      await refused(cookieFor('broken-canary', { secret }));
      const failing = await sluice.connect();
      await failing.open({ cookie });
      failing.send(OPCODE.text, 'canary'.repeat(1000));
      await failing.ended();
      const garbage = await sluice.connect();
      garbage.write('GET /ws canary\r\ncanary\r\n\r\n');
      await garbage.ended();
      await redis.kill();
      await sluice.open({ cookie }).catch(() => {});
      await redis.start();
      await sluice.ready();

      await sluice.stop();
      assert.doesNotMatch(sluice.log, /canary/);
      if (format === 'json')
        for (const line of sluice.program.stderr) {
          const { time, level, event } = JSON.parse(line);
          assert.ok(time && level && event, line);
        }
    });
  });

for (const [command, request, line] of [
  ['GET', { headers: { Cookie: cookieFor('canary') } }, /session look-up failed.*unknown command/],
  ['GETDEL', { target: '/ws?ticket=canary' }, /ticket could not be taken.*unknown command/]])
  test(`the log does not quote an error that repeats the argument of ${command}`, async t => {
    const redis = await startRedis(t, { 'rename-command': [command, '""'] });
    const sluice = await startSluice(t, redis.url, {
      workers: 1, session: { ticket: 'ticket:{sid}' }, log: { level: 'debug' } }, { ready: false });
    await sluice.program.line(/redis link up link=command/);
    const client = await sluice.connect();
    client.write(handshake(request));
    assert.equal((await client.answer()).status, 503);
    await sluice.stop();
    assert.match(sluice.log, line);
    assert.doesNotMatch(sluice.log, /canary/);
  });

/* What /proc shows to others. */
const shownBy = async (sluice, name) => readFile(`/proc/${sluice.program.pid}/${name}`, 'latin1');

test('neither the command line nor the environment shows a secret, and SIGHUP still has them', async t => {
  const redis = await startRedis(t, { requirepass: 'password-canary', cliArguments: ['-a', 'password-canary', '--no-auth-warning'] });
  const url = redis.url.replace('//', '//default:password-canary@');
  const sluice = await startSluice(t, 'redis://127.0.0.1:1', { session: { secrets: [] } }, {
    args: ['--redis-url', url],
    env: { SLUICE_SESSION_SECRETS: '["secret-canary"]', SLUICE_REDIS_URL: url, OTHER: 'is kept' } });
  assert.doesNotMatch(await shownBy(sluice, 'cmdline'), /canary/);
  assert.match(await shownBy(sluice, 'cmdline'), /redis:\/\/\*+@/);
  const environ = await shownBy(sluice, 'environ');
  assert.doesNotMatch(environ, /canary/);
  assert.match(environ, /SLUICE_SESSION_SECRETS=\0/);
  assert.match(environ, /OTHER=is kept/);
  const cookie = await logIn(redis, { userId: 'user' }, { secret: 'secret-canary' });
  (await sluice.open({ cookie })).terminate();
  sluice.hangUp();
  await sluice.program.line(/configuration reloaded/);
  (await sluice.open({ cookie })).terminate();
});

/* Of the process' own memory; the stacks and what maps files are left out. */
async function memoryHas(sluice, text) {
  const { pid } = sluice.program;
  const maps = (await readFile(`/proc/${pid}/maps`, 'utf8')).split('\n').map(line =>
    /^(\w+)-(\w+) rw\S+ \S+ \S+ 0 *(\[heap\])?$/.exec(line)).filter(Boolean);
  const memory = await open(`/proc/${pid}/mem`);
  try {
    for (const [, from, to] of maps) {
      const start = parseInt(from, 16);
      const { buffer, bytesRead } = await memory.read(Buffer.alloc(parseInt(to, 16) - start), 0, null, start);
      if (buffer.subarray(0, bytesRead).includes(text)) return true;
    }
  } finally {
    await memory.close();
  }
  return false;
}

const sanitized = /__(asan|tsan|msan)_init/.test(readFileSync(BINARY, 'latin1'));
if (process.getuid() === 0 && !sanitized) // a sanitizer keeps what was freed
  test('an old secret is not in memory after a reload', async t => {
    const redis = await startRedis(t);
    const sluice = await startSluice(t, redis.url, { workers: 1, session: { secrets: ['secret-canary-1'] } });
    assert.equal(await memoryHas(sluice, 'secret-canary-1'), true);
    await writeFile(sluice.configFile, JSON.stringify(
      configuration(redis.url, { workers: 1, session: { secrets: ['secret-canary-2'] } })));
    sluice.hangUp();
    await sluice.program.line(/configuration reloaded/);
    await until(async () => !(await memoryHas(sluice, 'secret-canary-1')), { what: 'the old secret is gone' });
    assert.equal(await memoryHas(sluice, 'secret-canary-2'), true);
  });

/* The forms of a private key in memory: its text, and its numbers as DER has them and as mbedTLS does. */
async function formsOf(file) {
  const text = await readFile(file, 'utf8');
  const jwk = createPrivateKey(text).export({ format: 'jwk' });
  const numbers = ['d', 'p', 'q'].filter(name => name in jwk).map(name => Buffer.from(jwk[name], 'base64url'));
  return { text: text.split('\n')[1], numbers: numbers.flatMap(number => [number, Buffer.from(number).reverse()]) };
}

async function memoryHasKey(sluice, { text, numbers }) {
  for (const form of [text, ...numbers]) if (await memoryHas(sluice, form)) return true;
  return false;
}

/* Makes a TLS connection, over `socket` or a new one; resolves when the handshake is over. */
function secure(sluice, authority, socket) {
  const { promise, resolve, reject } = withResolvers();
  const place = socket ? { socket } : { host: '127.0.0.1', port: sluice.port };
  const client = connectTls({ ...place, servername: 'localhost', ca: authority });
  client.on('secureConnect', () => resolve(client));
  client.on('error', reject);
  return promise;
}

if (process.getuid() === 0 && !sanitized)
  for (const [kind, type] of [['EC', P256], ['RSA', RSA]])
    test(`the old private key, ${kind}, is not in memory when the last handshake with it is over`, async t => {
      const [old, renewed] = [await makeCertificates(t, type), await makeCertificates(t, type)];
      const redis = await startRedis(t);
      const { certificate, key } = old;
      const sluice = await startSluice(t, redis.url, {
        workers: 2, limits: { handshake_seconds: 60 }, tls: { certificate, key } });
      const [oldKey, newKey] = [await formsOf(old.key), await formsOf(renewed.key)];
      assert.equal(await memoryHasKey(sluice, oldKey), true);
      const early = connectTcp(sluice.port, '127.0.0.1');
      await once(early, 'connect');
      // each worker has accepted those before these
      for (const one of await Promise.all(Array.from({ length: 16 }, () => secure(sluice, old.authorityText)))) one.destroy();
      await copyFile(renewed.certificate, certificate);
      await copyFile(renewed.key, key);
      sluice.hangUp();
      await sluice.program.line(/configuration reloaded/);
      for (let i = 0; i < 16; i++)
        await until(() => secure(sluice, renewed.authorityText).then(one => one.destroy(), () => false), { what: 'the new key' });
      assert.equal(await memoryHasKey(sluice, oldKey), true, 'a client has not begun its handshake yet');
      (await secure(sluice, old.authorityText, early)).destroy();
      await until(async () => !(await memoryHasKey(sluice, oldKey)), { what: 'the old key is gone' });
      assert.equal(await memoryHasKey(sluice, newKey), true);
      assert.ok(await secure(sluice, renewed.authorityText).then(one => one.destroy()));
    });

test('each line of the text log has a time, a level and an event', async t => {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url, { log: { level: 'debug' } });
  await sluice.stop();
  for (const line of sluice.program.stderr)
    assert.match(line, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (debug|info|warn|error) \S/);
});

test('a client cannot forge a line of the log', async t => {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url, { log: { level: 'debug' } });
  const cookie = await logIn(redis, { userId: 'x\n2026-01-01T00:00:00.000Z error forged' });
  const forger = await sluice.open({ cookie }).catch(() => null);
  const client = await sluice.connect();
  client.write(handshake({ target: '/ws%0Aforged', headers: { Origin: 'http://a\tforged' } }));
  await client.answer();
  forger?.terminate();
  await sluice.stop();
  assert.doesNotMatch(sluice.log, /^[^ ]* error forged/m);
});
