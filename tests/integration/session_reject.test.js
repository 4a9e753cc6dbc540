/* session.reject "close": a client without a session gets 101 and a close frame with 4401, which a page can
 * see. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { OPCODE, frame, handshake } from '../support/raw_client.js';
import { cookieFor, putSession } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const { redis, sluice, cookie } = await stand(file, {
  session: { reject: 'close' }, limits: { connections_per_ip: 3 } });

describe('closes with 4401 instead of 401 for', () => {
  const cases = {
    'no cookie': null,
    'a forged cookie': cookieFor('x', { secret: 'another' }),
    'a session that does not exist': cookieFor('gone'),
    'a session that is not logged in': cookieFor('visitor'),
  };
  for (const [what, cookie] of Object.entries(cases))
    test(what, async () => {
      await putSession(redis, 'visitor', '{"cookie":{},"authenticated":false,"userId":"u1"}');
      const browser = await sluice.open({ cookie });
      const { code, reason } = await browser.closed();
      assert.equal(code, 4401);
      assert.match(reason, /session/);
      assert.equal(browser.received, 0);
    });
});

test('sends the close frame right after the 101, and reads early frames until the close', async () => {
  const client = await sluice.connect();
  client.write(handshake(), frame(OPCODE.text, 'early'), frame(OPCODE.ping, 'early'),
    frame(OPCODE.close, Buffer.from([0x11, 0x31])));
  assert.equal((await client.answer()).status, 101);
  const { opcode, payload } = await client.frame();
  assert.equal(opcode, OPCODE.close);
  assert.equal(payload.readUInt16BE(), 4401);
  await client.ended();
  assert.equal(client.bytes.length, 0);
});

test('sends no welcome before the close frame with sluice.v1', async () => {
  const client = await sluice.connect();
  client.write(handshake({ headers: { 'Sec-WebSocket-Protocol': 'sluice.v1' } }));
  const answer = await client.answer();
  assert.equal(answer.headers['sec-websocket-protocol'], 'sluice.v1');
  assert.equal((await client.frame()).opcode, OPCODE.close);
  client.destroy();
});

test('reads a frame to its end of which half came early', async () => {
  const client = await sluice.connect();
  const early = frame(OPCODE.text, 'early');
  client.write(handshake(), early.subarray(0, 4));
  await client.answer();
  assert.equal((await client.frame()).opcode, OPCODE.close);
  client.write(early.subarray(4), frame(OPCODE.close, Buffer.from([0x11, 0x31])));
  await client.ended({ within: 1500 });
});

test('does not change other refusals', async () => {
  const statusOf = async options => {
    const client = await sluice.connect();
    client.write(handshake(options));
    const { status } = await client.answer();
    client.destroy();
    return status;
  };
  assert.equal(await statusOf({ headers: { Origin: 'https://evil.example.com' } }), 403);
  assert.equal(await statusOf({ headers: { Cookie: cookie }, target: '/ws?channel=secret' }), 403);
  assert.equal(await statusOf({ target: '/elsewhere' }), 404);
  assert.equal(await statusOf({ headers: { Upgrade: null } }), 400);
  assert.equal(await statusOf({ target: '/ws/check' }), 401);
});

test('opens for a client with a session', async () => {
  const browser = await sluice.open({ cookie });
  await redis.cli('PUBLISH', 'news', 'hello');
  assert.equal(await browser.next(), 'hello');
  browser.terminate();
});

test('counts a close, not a refusal, and frees the connection', async () => {
  const closes = () => sluice.metric('sluice_closes_total{code="4401"}');
  const before = await closes();
  const refused = await sluice.metric('sluice_upgrades_refused_total{status="401"}');
  for (let i = 0; i < 10; i++) {
    const browser = await sluice.open();
    assert.equal((await browser.closed()).code, 4401);
    await until(async () => (await closes()) === before + i + 1, { what: 'the close is counted' });
  }
  await sluice.reaches('sluice_connections', 0);
  assert.equal(await sluice.metric('sluice_upgrades_refused_total{status="401"}'), refused);
});

test('closes nobody if no session is required', async t => {
  const other = await startSluice(t, redis.url, {
    workers: 1, session: { reject: 'close', required: false }, channels: [{ match: 'all', allow: 'anyone', auto: true }] });
  const browser = await other.open();
  await redis.cli('PUBLISH', 'all', 'hello');
  assert.equal(await browser.next(), 'hello');
  browser.terminate();
});

test('logs the reason, as for a refusal', async t => {
  const other = await startSluice(t, redis.url, { workers: 1, session: { reject: 'close' } });
  const browser = await other.open({ cookie: `${cookie}x` });
  await browser.closed();
  await other.program.line(/ info refused status=401 reason="the session cookie's signature is not good"/);
});
