/* The log contains no secret at any level: no session id, no cookie, no payload, no password. Each secret of
 * these tests contains the word "canary". */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPCODE, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { cookieFor, logIn, putSession } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';

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
      workers: 1, session: { ticket: 'ticket:{sid}' }, log: { level: 'debug' } });
    const client = await sluice.connect();
    client.write(handshake(request));
    assert.equal((await client.answer()).status, 503);
    await sluice.stop();
    assert.match(sluice.log, line);
    assert.doesNotMatch(sluice.log, /canary/);
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
