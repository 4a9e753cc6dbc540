/* TLS on both sides: browsers over wss, Redis over rediss. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { Browser } from '../support/browser.js';
import { RSA, makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { freePort } from '../support/ports.js';
import { run } from '../support/program.js';
import { OPCODE, RawClient, frame, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { until, withResolvers } from '../support/wait.js';

let certificates;
before(async () => {
  certificates = await makeCertificates(file);
});

const serverTls = () => ({ tls: { certificate: certificates.certificate, key: certificates.key } });

function openSecurely(sluice, cookie, options = {}) {
  return Browser.open(`wss://127.0.0.1:${sluice.port}/ws`, {
    cookie, ca: certificates.authorityText, servername: 'localhost', ...options });
}

/* A raw client over TLS. */
function connectSecurely(sluice, options = {}) {
  const { promise, resolve, reject } = withResolvers();
  const socket = connectTls({
    host: '127.0.0.1', port: sluice.port, servername: 'localhost', ca: certificates.authorityText, ...options });
  socket.on('secureConnect', () => resolve(new RawClient(socket)));
  socket.on('error', reject);
  return promise;
}

test('serves browsers over wss, with small and large messages', async t => {
  const { redis, sluice, cookie } = await stand(t, serverTls());
  const publisher = await redis.client();
  const browser = await openSecurely(sluice, cookie);
  for (const payload of ['small', 'x'.repeat(1000000), '']) {
    await publisher.publish('news', payload);
    assert.equal(await browser.next(), payload);
  }
  assert.equal((await browser.close(3000, 'bye')).code, 3000);
});

test('10,000 publications over wss arrive in order', async t => {
  const COUNT = 10000;
  const { redis, sluice, cookie } = await stand(t, { ...serverTls(), limits: { queue_bytes: 16 << 20 } });
  const publisher = await redis.client();
  const browser = await openSecurely(sluice, cookie);
  await Promise.all(Array.from({ length: COUNT }, (_, i) => publisher.publish('news', String(i))));
  await until(() => browser.received === COUNT, { what: 'all messages', within: 20000 });
  assert.deepEqual(browser.takeAll(), Array.from({ length: COUNT }, (_, i) => String(i)));
});

test('a page of http is not of the same host where the gateway ends TLS', async t => {
  const { sluice, cookie } = await stand(t, serverTls());
  const host = `127.0.0.1:${sluice.port}`;
  (await openSecurely(sluice, cookie, { origin: `https://${host}` })).terminate();
  await assert.rejects(openSecurely(sluice, cookie, { origin: `http://${host}` }), { status: 403 });
});

test('a frame in the same record as the request is answered', async t => {
  const { sluice, cookie } = await stand(t, serverTls());
  const client = await connectSecurely(sluice);
  client.write(handshake({ headers: { Cookie: cookie } }), frame(OPCODE.ping, 'early'));
  assert.equal((await client.answer()).status, 101);
  assert.equal((await client.frame()).payload.toString(), 'early');
  client.destroy();
});

test('sends complete refusals over TLS', async t => {
  const { sluice } = await stand(t, serverTls());
  const client = await connectSecurely(sluice);
  client.write(handshake());
  const { status, body } = await client.answer();
  assert.equal(status, 401);
  assert.notEqual(body, '');
  await client.ended();
});

test('sends a complete refusal to a client that ends its side right after the request', async t => {
  const { sluice } = await stand(t, serverTls());
  for (let i = 0; i < 20; i++) {
    const client = await connectSecurely(sluice);
    client.socket.end(handshake());
    const { status, body } = await client.answer();
    assert.equal(status, 401);
    assert.notEqual(body, '');
    await client.ended();
  }
});

test('refuses TLS 1.1 and accepts TLS 1.2', async t => {
  const { sluice } = await stand(t, serverTls());
  const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' };
  await assert.rejects(connectSecurely(sluice, old));
  const client = await connectSecurely(sluice, { maxVersion: 'TLSv1.2' });
  assert.equal(client.socket.getProtocol(), 'TLSv1.2');
  client.destroy();
});

/* What the client prefers is what costs a server most. */
test('chooses X25519 and AES-128-GCM for ECDSA and RSA certificates, whatever the client prefers', async t => {
  const rsa = await makeCertificates(t, RSA);
  for (const [name, { certificate, key, authorityText }] of [['ECDSA', certificates], ['RSA', rsa]]) {
    const { sluice } = await stand(t, { tls: { certificate, key } });
    const costly = { ca: authorityText, maxVersion: 'TLSv1.2', ecdhCurve: 'secp521r1:secp384r1:prime256v1:X25519',
      ciphers: `AES128-SHA:ECDHE-${name}-CHACHA20-POLY1305:ECDHE-${name}-AES256-SHA:ECDHE-${name}-AES128-GCM-SHA256` };
    const client = await connectSecurely(sluice, costly);
    assert.equal(client.socket.getCipher().name, `ECDHE-${name}-AES128-GCM-SHA256`);
    assert.equal(client.socket.getEphemeralKeyInfo().name, 'X25519');
    client.destroy();
    const newest = await connectSecurely(sluice, { ca: authorityText });
    assert.equal(newest.socket.getEphemeralKeyInfo().name, 'X25519');
    newest.destroy();
  }
});

test('refuses costly key exchanges, those without forward secrecy, and CBC', async t => {
  const { certificate, key, authorityText: ca } = await makeCertificates(t, RSA);
  const { sluice } = await stand(t, { tls: { certificate, key } });
  for (const offer of [
    { ecdhCurve: 'secp521r1' }, { ecdhCurve: 'secp384r1' }, { ecdhCurve: 'secp521r1', maxVersion: 'TLSv1.2' },
    ...['DHE-RSA-AES128-GCM-SHA256', 'DHE-RSA-CHACHA20-POLY1305', 'AES128-GCM-SHA256', 'AES128-SHA', 'CAMELLIA128-SHA',
      'ECDHE-RSA-AES128-SHA', 'ECDHE-RSA-AES256-SHA384', 'ECDHE-RSA-CAMELLIA128-SHA256',
    ].map(ciphers => ({ ciphers, maxVersion: 'TLSv1.2' })),
  ]) await assert.rejects(connectSecurely(sluice, { ca, ...offer }), undefined, JSON.stringify(offer));
  (await connectSecurely(sluice, { ca })).destroy();
});

/* A connection that is logged in, with a TLS session that can be resumed. */
async function logInSecurely(sluice, cookie, options) {
  const client = await connectSecurely(sluice, options);
  client.write(handshake({ headers: { Cookie: cookie } }));
  assert.equal((await client.answer()).status, 101); // after the session ticket
  return client;
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
  test(`resumes a session on every worker, up to ${maxVersion}`, async t => {
    const { sluice, cookie } = await stand(t, { ...serverTls(), workers: 2 });
    const first = await logInSecurely(sluice, cookie, { maxVersion });
    assert.equal(first.socket.isSessionReused(), false);
    const session = first.socket.getSession();
    const clients = [first];
    /* the kernel chooses the worker; each counts the user's session once */
    while (clients.length < 64 && await sluice.metric('sluice_sessions') < 2) {
      const client = await logInSecurely(sluice, cookie, { maxVersion, session });
      assert.equal(client.socket.isSessionReused(), true);
      clients.push(client);
    }
    await sluice.reaches('sluice_sessions', 2);
    for (const client of clients) client.destroy();
  });

  test(`a ticket from before a reload leads to a full handshake, up to ${maxVersion}`, async t => {
    const { sluice, cookie } = await stand(t, serverTls());
    const resumes = async session => {
      const client = await logInSecurely(sluice, cookie, { maxVersion, session });
      const reused = client.socket.isSessionReused();
      client.destroy();
      return reused;
    };
    const first = await logInSecurely(sluice, cookie, { maxVersion });
    const session = first.socket.getSession();
    first.destroy();
    assert.equal(await resumes(session), true);
    sluice.hangUp();
    await until(async () => !(await resumes(session)), { what: 'a full handshake' });
  });
}

test('session tickets live for one hour at least, and two at most', async t => {
  const { sluice } = await stand(t, serverTls());
  const { stdout } = await run('openssl', ['s_client', '-tls1_2', '-connect', `127.0.0.1:${sluice.port}`]);
  const [, seconds] = /ticket lifetime hint: (\d+) /.exec(stdout);
  assert.ok(seconds > 3600 && seconds <= 7200, seconds);
});

test('a client that speaks no TLS, or leaves during the handshake, does no harm', async t => {
  const { sluice, cookie } = await stand(t, { ...serverTls(), limits: { handshake_seconds: 0.3 } });
  const plain = await sluice.connect();
  plain.write(handshake());
  const silent = await sluice.connect();
  const leaving = await sluice.connect();
  leaving.write(Buffer.from('16030100', 'hex'));
  leaving.destroy();
  await plain.ended();
  await silent.ended();
  (await openSecurely(sluice, cookie)).terminate();
});

test('drains over TLS', async t => {
  const { sluice, cookie } = await stand(t, { ...serverTls(), drain: { seconds: 0.2 } });
  const browsers = await Promise.all(Array.from({ length: 10 }, () => openSecurely(sluice, cookie)));
  sluice.program.signal('SIGTERM');
  for (const browser of browsers) assert.equal((await browser.closed()).code, 1012);
  assert.equal(await sluice.program.exit(), 0);
});

/* A Redis that accepts only TLS. */
async function startSecureRedis(t) {
  const tlsPort = await freePort();
  const redis = await startRedis(t, {
    port: 0, 'tls-port': tlsPort, bind: ['127.0.0.1', '-::1'], 'tls-auth-clients': 'no',
    'tls-cert-file': certificates.certificate, 'tls-key-file': certificates.key,
    'tls-ca-cert-file': certificates.authority });
  return { redis, url: `rediss://localhost:${tlsPort}` };
}

test('Redis over rediss://', async t => {
  const { redis, url } = await startSecureRedis(t);
  const sluice = await startSluice(t, url, {}, { env: { SSL_CERT_FILE: certificates.authority } });
  const browser = await sluice.open({ cookie: await logIn(redis) });
  const publisher = await redis.client();
  await publisher.publish('news', 'x'.repeat(200000));
  assert.equal((await browser.next()).length, 200000);
});

test('does not connect to a Redis whose certificate is not trusted, and logs why', async t => {
  const { redis, url } = await startSecureRedis(t);
  const sluice = await startSluice(t, url, {}, { ready: false });
  await sluice.program.line(/certificate/i);
  assert.equal((await sluice.admin('/readyz')).status, 503);
  const refusal = await sluice.open({ cookie: await logIn(redis) }).catch(error => error);
  assert.equal(refusal.status, 503);
});

test('does not connect to a Redis whose certificate is for another name', async t => {
  const { url } = await startSecureRedis(t);
  const sluice = await startSluice(t, url.replace('localhost', 'ip6-localhost'), {}, {
    ready: false, env: { SSL_CERT_FILE: certificates.authority } });
  await sluice.program.line(/warn|error/);
  assert.equal((await sluice.admin('/readyz')).status, 503);
});
