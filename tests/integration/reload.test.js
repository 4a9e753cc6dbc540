/* SIGHUP reloads the configuration. Open connections stay open, and a bad file changes nothing. */
import assert from 'node:assert/strict';
import { copyFile, writeFile } from 'node:fs/promises';
import { connect as connectTls } from 'node:tls';
import { test } from 'node:test';
import { Browser } from '../support/browser.js';
import { makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { cookieFor, logIn } from '../support/sessions.js';
import { CHANNELS, configuration, startSluice } from '../support/sluice.js';
import { until, withResolvers } from '../support/wait.js';

const redis = await startRedis(file);
const cookie = await logIn(redis, {}, { id: 'reader' });

/* Writes another configuration, sends SIGHUP, and waits until the log has `line` once more. */
async function reload(sluice, own, line = /configuration reloaded/) {
  const text = typeof own === 'string' ? own : JSON.stringify(configuration(redis.url, own));
  const told = () => sluice.program.stderr.filter(one => line.test(one)).length;
  const before = told();
  await writeFile(sluice.configFile, text);
  sluice.hangUp();
  await until(() => told() > before, { what: `${line} in the log` });
}

const openAt = (sluice, channel, options = { cookie }) =>
  Browser.open(`${sluice.url}?channel=${channel}`, options);

test('applies a new channel rule to new connections, and keeps the open ones', async t => {
  const sluice = await startSluice(t, redis.url);
  const browser = await sluice.open({ cookie });
  await assert.rejects(openAt(sluice, 'extra'), { status: 403 });
  await reload(sluice, { channels: [...CHANNELS, { match: 'extra', allow: 'session' }] });
  const late = await until(() => openAt(sluice, 'extra'), { what: 'the new rule applies' });
  await redis.cli('PUBLISH', 'extra', 'for the new one');
  assert.equal(await late.next(), 'for the new one');
  await redis.cli('PUBLISH', 'news', 'for both');
  assert.equal(await browser.next(), 'for both');
});

test('applies new channel rules to a connection that is still waiting for its channels', async t => {
  const own = await startRedis(t);
  const session = { required: false };
  const sluice = await startSluice(t, own.url, { session, workers: 1, channels: [{ match: 'public:*', allow: 'anyone' }] });
  own.pause();
  const client = await sluice.connect();
  client.write(handshake({ target: '/ws?channel=public:a' }));
  const text = JSON.stringify(configuration(own.url, { session, workers: 1, channels: [{ match: 'news', allow: 'anyone' }] }));
  await reload(sluice, text);
  own.resume();
  assert.equal((await client.answer()).status, 403);
});

test('accepts a new secret, and refuses a removed one', async t => {
  const sluice = await startSluice(t, redis.url);
  const fresh = { cookie: cookieFor('reader', { secret: 'fresh' }) };
  await assert.rejects(sluice.open(fresh), { status: 401 });
  await reload(sluice, { session: { secrets: ['fresh'] } });
  await until(() => sluice.open(fresh), { what: 'the new secret applies' });
  await assert.rejects(sluice.open({ cookie }), { status: 401 });
});

test('applies new origins', async t => {
  const sluice = await startSluice(t, redis.url);
  const elsewhere = { cookie, origin: 'https://elsewhere.example' };
  await assert.rejects(sluice.open(elsewhere), { status: 403 });
  await reload(sluice, { origins: ['https://elsewhere.example'] });
  await until(() => sluice.open(elsewhere), { what: 'the new origin is allowed' });
});

test('joins a new automatic channel, for which the same reload makes room', async t => {
  const own = { workers: 1, session: { required: false }, limits: { process_channels: 1 } };
  const anyone = { match: 'public:*', allow: 'anyone' };
  const sluice = await startSluice(t, redis.url, { ...own, channels: [anyone] });
  const browser = await openAt(sluice, 'public:a', {});
  await reload(sluice, { ...own, limits: { process_channels: 2 },
    channels: [{ match: 'public:b', allow: 'anyone', auto: true }, anyone] });
  await until(async () => (await sluice.metric('sluice_subscriptions')) === 2, { what: 'it is on both' });
  browser.terminate();
});

test('applies new limits', async t => {
  const sluice = await startSluice(t, redis.url);
  await sluice.open({ cookie });
  await reload(sluice, { limits: { connections: 1 } });
  await until(async () => (await sluice.open({ cookie }).catch(error => error)).status === 503, {
    what: 'the new limit applies' });
});

test('applies a new log level', async t => {
  const sluice = await startSluice(t, redis.url);
  await reload(sluice, { log: { level: 'debug' } });
  await Browser.open(`${sluice.url}/nowhere`).catch(() => {});
  await sluice.program.line(/ debug refused status=404/);
});

test('presents a renewed certificate', async t => {
  const [old, renewed] = [await makeCertificates(t), await makeCertificates(t)];
  const own = { tls: { certificate: old.certificate, key: old.key } };
  const sluice = await startSluice(t, redis.url, own);
  const trusts = authority => {
    const { promise, resolve } = withResolvers();
    const socket = connectTls({ host: '127.0.0.1', port: sluice.port, servername: 'localhost', ca: authority });
    socket.on('secureConnect', () => resolve(true));
    socket.on('error', () => resolve(false));
    return promise.finally(() => socket.destroy());
  };
  assert.equal(await trusts(old.authorityText), true);
  await copyFile(renewed.certificate, old.certificate);
  await copyFile(renewed.key, old.key);
  await reload(sluice, own);
  await until(() => trusts(renewed.authorityText), { what: 'the new certificate is presented' });
});

test('does not turn TLS off: logs an error, and keeps serving TLS', async t => {
  const { authorityText, certificate, key } = await makeCertificates(t);
  const sluice = await startSluice(t, redis.url, { tls: { certificate, key } });
  await reload(sluice, {}, /configuration not reloaded/);
  assert.match(sluice.log, / error .*\btls\b/);
  const browser = await Browser.open(`wss://127.0.0.1:${sluice.port}/ws`, {
    cookie, ca: authorityText, servername: 'localhost' });
  await redis.cli('PUBLISH', 'news', 'in secret');
  assert.equal(await browser.next(), 'in secret');
  await assert.rejects(sluice.open({ cookie }));
});

test('does not turn TLS on: logs an error', async t => {
  const { certificate, key } = await makeCertificates(t);
  const sluice = await startSluice(t, redis.url);
  await reload(sluice, { tls: { certificate, key } }, /configuration not reloaded/);
  assert.match(sluice.log, / error .*\btls\b/);
  (await sluice.open({ cookie })).terminate();
});

const needsRestart = { listen: '127.0.0.1:1', workers: 1, admin: { listen: '127.0.0.1:1' } };
for (const [key, value] of Object.entries(needsRestart))
  test(`warns that a change of ${key} needs a restart, and applies the rest`, async t => {
    const sluice = await startSluice(t, redis.url);
    await reload(sluice, { [key]: value, log: { level: 'debug' } });
    const warnings = sluice.log.match(/ warn configuration change needs a restart .*/g);
    assert.equal(warnings?.length, 1, sluice.log);
    assert.match(warnings[0], new RegExp(`\\b${key}\\b`));
    (await sluice.open({ cookie })).terminate();
    await Browser.open(`${sluice.url}/nowhere`).catch(() => {});
    await sluice.program.line(/ debug refused status=404/);
  });

test('turns the heartbeat off, and does not terminate a client that has answered its last ping', async t => {
  const limits = { handshake_seconds: 1 };
  const sluice = await startSluice(t, redis.url, { limits, heartbeat: { interval: 0.3, timeout: 0.3 } });
  const browser = await sluice.open({ cookie });
  let pings = 0;
  browser.socket.on('ping', () => (pings += 1));
  await until(() => pings >= 2, { what: 'two pings' });
  await reload(sluice, { limits, heartbeat: { interval: 0, timeout: 0.3 } });
  const witness = await sluice.connect(); // times out after a second, three times the old interval
  await witness.ended();
  await redis.cli('PUBLISH', 'news', 'still here');
  assert.equal(await browser.next(), 'still here');
  assert.equal(await sluice.metric('sluice_heartbeat_terminations_total'), 0);
});

const bad = { 'is not JSON': '{ "workers": ', 'has an unknown key': '{ "colour": "red" }', 'is empty': '' };
for (const [what, text] of Object.entries(bad))
  test(`logs an error and changes nothing if the file ${what}`, async t => {
    const sluice = await startSluice(t, redis.url);
    const browser = await sluice.open({ cookie });
    await reload(sluice, text, /configuration not reloaded/);
    await redis.cli('PUBLISH', 'news', 'unmoved');
    assert.equal(await browser.next(), 'unmoved');
    (await sluice.open({ cookie })).terminate();
  });

test('reloads twenty times in a row while clients connect and disconnect', async t => {
  const sluice = await startSluice(t, redis.url);
  const stayer = await sluice.open({ cookie });
  for (let i = 0; i < 20; i++) {
    const opening = Array.from({ length: 5 }, () => sluice.open({ cookie }));
    await reload(sluice, { limits: { connections: 1000 + i } });
    for (const browser of await Promise.all(opening)) browser.terminate();
  }
  await redis.cli('PUBLISH', 'news', 'still here');
  assert.equal(await stayer.next(), 'still here');
});
