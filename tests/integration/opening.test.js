/* The 101, and what follows it at once. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { file } from '../support/ending.js';
import { ACCEPT, OPCODE, frame, handshake } from '../support/raw_client.js';
import { stand } from '../support/stand.js';

let redis, sluice, cookie;
before(async () => {
  ({ redis, sluice, cookie } = await stand(file));
});

test('the 101 has the accept key of RFC 6455, and no header that was not asked for', async () => {
  const client = await sluice.connect();
  const answer = await client.open({
    cookie, headers: { 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' } });
  assert.equal(answer.headers['sec-websocket-accept'], ACCEPT);
  assert.equal(answer.headers.upgrade.toLowerCase(), 'websocket');
  assert.equal(answer.headers.connection.toLowerCase(), 'upgrade');
  assert.equal(answer.headers['sec-websocket-protocol'], undefined);
  assert.equal(answer.headers['sec-websocket-extensions'], undefined);
  assert.equal(answer.headers['set-cookie'], undefined);
  client.destroy();
});

test('header names and tokens are compared without regard to case', async () => {
  const client = await sluice.connect();
  const request = handshake({
    headers: { Cookie: cookie, Connection: 'keep-alive, Upgrade', Upgrade: 'WebSocket' } });
  client.write(request.replace('Sec-WebSocket-Key', 'sec-websocket-key'));
  assert.equal((await client.answer()).status, 101);
  client.destroy();
});

test('reads a request that arrives byte by byte', async () => {
  const client = await sluice.connect();
  for (const byte of handshake({ headers: { Cookie: cookie } })) {
    client.write(byte);
    await new Promise(setImmediate);
  }
  assert.equal((await client.answer()).status, 101);
  client.destroy();
});

test('answers a ping in the same segment as the request, after the 101', async () => {
  const client = await sluice.connect();
  client.write(handshake({ headers: { Cookie: cookie } }), frame(OPCODE.ping, 'early'));
  assert.equal((await client.answer()).status, 101);
  const { opcode, payload, masked } = await client.frame();
  assert.equal(opcode, OPCODE.pong);
  assert.equal(payload.toString(), 'early');
  assert.equal(masked, false);
  client.destroy();
});

test('reads a ping of which half follows the request and half the 101', async () => {
  const client = await sluice.connect();
  const ping = frame(OPCODE.ping, 'split');
  client.write(handshake({ headers: { Cookie: cookie } }), ping.subarray(0, 4));
  assert.equal((await client.answer()).status, 101);
  client.write(ping.subarray(4));
  assert.equal((await client.frame()).payload.toString(), 'split');
  client.destroy();
});

test('survives a browser that disconnects during its session look-up', async () => {
  await redis.cli('CLIENT', 'PAUSE', '300', 'ALL');
  const leaving = await Promise.all(Array.from({ length: 20 }, () => sluice.connect()));
  for (const client of leaving) client.write(handshake({ headers: { Cookie: cookie } }));
  for (const client of leaving) client.destroy();
  const browser = await sluice.open({ cookie });
  await redis.cli('PUBLISH', 'news', 'still here');
  assert.equal(await browser.next(), 'still here');
});

test('chooses the first subprotocol that is offered', async () => {
  const browser = await sluice.open({ cookie, protocols: ['app.v2', 'app.v1'] });
  assert.equal(browser.protocol, 'app.v2');
  browser.terminate();
});

test('allows an Origin of the same host and port', async () => {
  const origin = `http://127.0.0.1:${sluice.port}`;
  const browser = await sluice.open({ cookie, origin });
  assert.ok(browser.isOpen);
  await assert.rejects(sluice.open({ cookie, origin: 'http://127.0.0.1:1' }), { status: 403 });
});
