/* Clients that are not open yet share a part of each loop turn, by address: TLS handshakes, their count and
 * their pace. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Browser } from '../support/browser.js';
import { makeCertificates } from '../support/certificates.js';
import { clientHello } from '../support/client_hello.js';
import { atEnd, file } from '../support/ending.js';
import { stand } from '../support/stand.js';
import { until, withResolvers } from '../support/wait.js';

let certificates, hello;
before(async () => {
  certificates = await makeCertificates(file);
  hello = await clientHello();
});

const start = (t, limits = {}) => stand(t, {
  workers: 1, limits: { half_open_per_ip: 0, handshake_seconds: 60, ...limits },
  tls: { certificate: certificates.certificate, key: certificates.key } });

const open = ({ sluice, cookie }, options) => Browser.open(`wss://127.0.0.1:${sluice.port}/ws`, {
  cookie, ca: certificates.authorityText, servername: 'localhost', ...options });

const handshakes = (sluice, kind) => sluice.metric(`sluice_tls_handshakes_total{kind="${kind}"}`);

/* A socket that has sent `bytes`, and what came back. */
async function greet(t, { sluice }, bytes, localAddress) {
  const { promise, resolve, reject } = withResolvers();
  const socket = connect({ ...sluice.target, localAddress }, () => resolve());
  const peer = { socket, received: 0, isClosed: false };
  socket.on('error', reject);
  socket.on('data', ({ length }) => (peer.received += length));
  socket.on('close', () => (peer.isClosed = true));
  atEnd(t, () => socket.destroy());
  await promise;
  socket.write(bytes);
  return peer;
}

test('counts full, resumed and failed handshakes', async t => {
  const place = await start(t);
  const { sluice } = place;
  const { promise, resolve, reject } = withResolvers();
  const first = connectTls({ host: '127.0.0.1', port: sluice.port, servername: 'localhost', ca: certificates.authorityText });
  first.on('error', reject);
  first.on('session', resolve);
  const session = await promise;
  first.destroy();
  assert.equal(await handshakes(sluice, 'full'), 1);
  (await open(place, { session })).terminate();
  assert.equal(await handshakes(sluice, 'resumed'), 1);
  const failing = await greet(t, place, hello);
  await until(() => failing.received > 0, { what: 'an answer to the ClientHello' });
  failing.socket.end('no TLS');
  await sluice.reaches('sluice_tls_handshakes_total{kind="failed"}', 1);
  assert.equal(await handshakes(sluice, 'full'), 1);
});

test('a client gets in while thousands of ClientHellos of another address wait', async t => {
  const COUNT = 2500;
  const place = await start(t);
  const others = await Promise.all(Array.from({ length: COUNT }, () => greet(t, place, hello.subarray(0, -1), '127.0.0.3')));
  for (const { socket } of others) socket.write(hello.subarray(-1)); // all at once
  const good = await open(place, { localAddress: '127.0.0.2' });
  const answered = others.filter(({ received }) => received > 0).length;
  assert.ok(answered < COUNT / 2, `${answered} others were answered first`);
  assert.equal(others.filter(({ isClosed }) => isClosed).length, 0);
  await until(() => others.every(({ received }) => received > 0), { what: 'all the others are answered', within: 60000 });
  good.terminate();
});

test('a burst of clients of one address gets in, all of them', async t => {
  const place = await start(t);
  const all = await Promise.all(Array.from({ length: 150 }, () => open(place)));
  assert.equal(await handshakes(place.sluice, 'full'), 150);
  for (const one of all) one.terminate();
});

test('limits.tls_handshakes_per_second delays handshakes, and refuses none', async t => {
  const place = await start(t, { tls_handshakes_per_second: 4 });
  const begin = performance.now();
  const all = await Promise.all(Array.from({ length: 9 }, () => open(place)));
  assert.ok(performance.now() - begin > 1700, 'the first may begin at once, and another 0.1 s early');
  assert.ok(await place.sluice.hits('tls_handshakes_per_second') > 0);
  for (const one of all) one.terminate();
});
