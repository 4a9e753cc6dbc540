/* Limits on connections and requests: the status of a refusal, and the service within the limit. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Browser } from '../support/browser.js';
import { folder } from '../support/folder.js';
import { handshake } from '../support/raw_client.js';
import { cookieFor, logIn } from '../support/sessions.js';
import { stand } from '../support/stand.js';
import { Page } from '../support/v1.js';
import { until } from '../support/wait.js';

/* The statuses of `n` upgrades, one after the other. The browsers stay connected. */
async function statuses(sluice, n, options) {
  const all = [];
  const browsers = [];
  for (let i = 0; i < n; i++) {
    const opened = await sluice.open(options).catch(error => error);
    all.push(opened.status ?? 101);
    if (opened.isOpen) browsers.push(opened);
  }
  return { all, browsers };
}

test('limits.connections: one too many gets 503 with Retry-After, until another one leaves', async t => {
  const { sluice, cookie } = await stand(t, { limits: { connections: 3 } });
  const { all, browsers } = await statuses(sluice, 5, { cookie });
  assert.deepEqual(all, [101, 101, 101, 503, 503]);
  assert.equal(await sluice.hits('connections'), 2);
  const refusal = await sluice.open({ cookie }).catch(error => error);
  assert.match(refusal.headers['retry-after'], /^[1-9]\d*$/);
  await browsers[0].close(1000);
  await until(() => sluice.open({ cookie }), { what: 'an upgrade is accepted again' });
});

test('limits.connections_per_ip: one too many from one address gets 429', async t => {
  const { sluice, cookie } = await stand(t, { limits: { connections_per_ip: 2 } });
  const { all, browsers } = await statuses(sluice, 3, { cookie });
  assert.deepEqual(all, [101, 101, 429]);
  assert.equal(await sluice.hits('connections_per_ip'), 1);
  const elsewhere = await sluice.open({ cookie, localAddress: '127.0.0.2' });
  assert.ok(elsewhere.isOpen);
  await browsers[0].close(1000);
  await until(() => sluice.open({ cookie }), { what: 'an upgrade is accepted again' });
});

test('limits.connections_per_ip: connections over a Unix socket have no address, and do not count', async t => {
  const socket = join(await folder(t), 'sluice.sock');
  const { cookie } = await stand(t, { listen: `unix:${socket}`, limits: { connections_per_ip: 1 } });
  for (let i = 0; i < 5; i++)
    assert.ok((await Browser.open(`ws+unix://${socket}:/ws`, { cookie })).isOpen);
});

test('limits.connections_per_user: one too many of one user gets 429, another user does not', async t => {
  const { redis, sluice } = await stand(t, { limits: { connections_per_user: 2 } });
  const [phone, laptop] = await Promise.all([logIn(redis, { userId: 'a' }), logIn(redis, { userId: 'a' })]);
  const { all, browsers } = await statuses(sluice, 2, { cookie: phone });
  assert.deepEqual(all, [101, 101]);
  await assert.rejects(sluice.open({ cookie: laptop }), { status: 429 });
  assert.equal(await sluice.hits('connections_per_user'), 1);
  assert.ok((await sluice.open({ cookie: await logIn(redis, { userId: 'b' }) })).isOpen);
  browsers[0].terminate();
  await until(() => sluice.open({ cookie: laptop }), { what: 'an upgrade is accepted again' });
});

test('limits.upgrades_per_second: a burst above it gets 429, later upgrades are accepted', async t => {
  const { sluice, cookie } = await stand(t, { limits: { upgrades_per_second: 5 } });
  const { all } = await statuses(sluice, 40, { cookie });
  assert.ok(all.includes(101) && all.includes(429), `${all}`);
  assert.deepEqual(all.filter(status => status !== 101 && status !== 429), []);
  assert.equal(await sluice.hits('upgrades_per_second'), all.filter(status => status === 429).length);
  await until(() => sluice.open({ cookie }), { what: 'a later upgrade is accepted' });
});

/* Sends `n` upgrades at once, and returns the statuses of the answers. */
async function burst(sluice, n, options) {
  const all = await Promise.all(Array.from({ length: n }, () => sluice.open(options).catch(error => error)));
  return all.map(one => one.status ?? 101);
}

test('limits.upgrades_per_second: cookies with a bad signature use nothing up', async t => {
  const { sluice, cookie } = await stand(t, { limits: { upgrades_per_second: 3 } });
  const junk = { cookie: cookieFor('nobody', { secret: 'made up' }) };
  for (let i = 0; i < 3; i++) {
    assert.deepEqual([...new Set(await burst(sluice, 10, junk))], [401]);
    assert.deepEqual(await burst(sluice, 1, { cookie }), [101]);
  }
});

test('limits.upgrades_per_second: ids that find no session are limited by address, and use nothing up', async t => {
  const { sluice, cookie } = await stand(t, { limits: { upgrades_per_second: 2 } });
  let refused = 0;
  for (let i = 0; i < 5; i++) {
    const all = await burst(sluice, 20, { cookie: cookieFor('nobody'), localAddress: '127.0.0.2' });
    refused += all.filter(status => status === 429).length;
    assert.deepEqual(all.filter(status => status !== 401 && status !== 429), []);
    if (i < 2) assert.deepEqual(await burst(sluice, 1, { cookie }), [101]); // no more than the limit
  }
  assert.ok(refused > 0, 'one address has a limit');
  assert.equal(await sluice.hits('upgrades_per_second'), refused);
});

test('limits.upgrades_per_second: clients without a log-in use nothing up that log-ins need', async t => {
  const { sluice, cookie } = await stand(t, { session: { required: false }, limits: { upgrades_per_second: 2 } });
  const all = await burst(sluice, 30, {});
  assert.ok(all.includes(429), `${all}`);
  assert.deepEqual(await burst(sluice, 1, { cookie }), [101]);
});

test('limits.header_bytes: a longer head gets 431, even before it is complete', async t => {
  const { sluice, cookie } = await stand(t, { limits: { header_bytes: 1024 } });
  const client = await sluice.connect();
  client.write(`GET /ws HTTP/1.1\r\nX-Long: ${'x'.repeat(2000)}`);
  assert.equal((await client.answer()).status, 431);
  await client.ended();
  assert.equal(await sluice.hits('header_bytes'), 1);
  (await sluice.open({ cookie })).terminate();
});

test('limits.handshake_seconds: closes a client that sends nothing or half a request', async t => {
  const { sluice, cookie } = await stand(t, { limits: { handshake_seconds: 0.3 } });
  const silent = await sluice.connect();
  const half = await sluice.connect();
  half.write(handshake({ headers: { Cookie: cookie } }).slice(0, 50));
  await silent.ended({ within: 3000 });
  await half.ended({ within: 3000 });
  assert.equal((await half.answer()).status, 408);
  assert.equal(silent.bytes.length, 0, 'no answer without a request');
  assert.equal(await sluice.hits('handshake_seconds'), 2);
});

test('limits.handshake_seconds: a trickle of bytes does not extend it', async t => {
  const { sluice } = await stand(t, { limits: { handshake_seconds: 0.5 } });
  const slow = await sluice.connect();
  const began = performance.now();
  const drops = setInterval(() => slow.write('x'), 20);
  slow.write('GET /ws HTTP/1.1\r\nX-Slow: ');
  await slow.ended({ within: 3000 }).finally(() => clearInterval(drops));
  assert.ok(performance.now() - began > 300);
});

test('limits.handshake_seconds: does not apply to open connections', async t => {
  const { redis, sluice, cookie } = await stand(t, { limits: { handshake_seconds: 0.3 } });
  const browser = await sluice.open({ cookie });
  const witness = await sluice.connect();
  await witness.ended({ within: 3000 });
  await redis.cli('PUBLISH', 'news', 'still here');
  assert.equal(await browser.next(), 'still here');
});

test('limits.channels: refuses more channels in the query', async t => {
  const { sluice, cookie } = await stand(t, { limits: { channels: 4 } });
  const at = n => `${sluice.url}?${Array.from({ length: n }, (_, i) => `channel=public:${i}`).join('&')}`;
  (await Browser.open(at(2), { cookie })).terminate();
  assert.equal(await sluice.hits('channels'), 0);
  await assert.rejects(Browser.open(at(5), { cookie }), { status: 403 });
  assert.equal(await sluice.hits('channels'), 1);
});

test('limits.process_channels: no channel that is new, for any connection of any worker', async t => {
  const { redis, sluice, cookie } = await stand(t, {
    workers: 2, limits: { process_channels: 8 }, channels: [{ match: '*', allow: 'session' }] });
  const at = (...names) => `?${names.map(name => `channel=${name}`).join('&')}`;
  const names = Array.from({ length: 9 }, (_, i) => `c${i}`);
  const refused = { status: 429, message: /limits\.process_channels/ };
  await assert.rejects(Browser.open(sluice.url + at(...names), { cookie }), refused);
  assert.equal(await sluice.hits('process_channels'), 1);
  /* They are free again; the metric alone may still be that of before they were taken. */
  const all = await until(() => Browser.open(sluice.url + at(...names.slice(0, 8)), { cookie }), { what: 'eight are free' });
  assert.equal(await sluice.metric('sluice_channels'), 8);
  all.terminate();
  await until(async () => await sluice.metric('sluice_channels') === 0, { what: 'no channel is left' });
  const before = await sluice.hits('process_channels');

  /* One channel may be in each worker and counts once. */
  const same = await Promise.all(Array.from({ length: 8 }, () => Browser.open(sluice.url + at('c0', 'c1'), { cookie })));
  const rest = await Browser.open(sluice.url + at(...names.slice(2, 8)), { cookie });
  assert.equal(await sluice.metric('sluice_channels'), 8);
  await assert.rejects(Browser.open(sluice.url + at('c8'), { cookie }), refused);
  assert.equal((await fetch(`http://127.0.0.1:${sluice.port}/ws/check${at('c8')}`, { headers: { Cookie: cookie } })).status, 429);
  const page = await Page.open(sluice, { cookie });
  assert.equal((await page.subscribe('c8')).code, 'limit');
  assert.equal(await sluice.hits('process_channels'), before + 3);
  await redis.cli('PUBLISH', 'c1', 'one');
  for (const browser of same) assert.equal(await browser.next(), 'one');

  rest.terminate();
  await until(async () => await sluice.metric('sluice_channels') === 2, { what: 'six channels are free again' });
  assert.equal((await page.subscribe('c8')).type, 'subscribed');
});

test('limits.process_channels: a channel that the worker has already is not new', async t => {
  const { sluice, cookie } = await stand(t, {
    workers: 1, limits: { process_channels: 1 }, channels: [{ match: 'news', allow: 'session', auto: true }, { match: '*', allow: 'session' }] });
  for (let i = 0; i < 3; i++) assert.ok((await sluice.open({ cookie })).isOpen);
  await assert.rejects(Browser.open(sluice.url + '?channel=public:1', { cookie }), { status: 429 });
});

const BAD_NAMES = {
  'of 257 bytes': 'x'.repeat(257), 'of 2000 bytes': 'x'.repeat(2000), 'that is empty': '',
  'of a control character': '%0A', 'that is not UTF-8': '%FF', 'that begins with __': '__redis__:invalidate',
};
for (const [what, name] of Object.entries(BAD_NAMES))
  test(`a channel's name ${what} is refused with 403, which says why`, async t => {
    const { sluice, cookie } = await stand(t, { channels: [{ match: '*', allow: 'session' }] });
    await assert.rejects(Browser.open(sluice.url + `?channel=${name}`, { cookie }), { status: 403, message: /1 to 256 bytes/ });
    assert.ok((await Browser.open(sluice.url + `?channel=${'x'.repeat(256)}`, { cookie })).isOpen);
  });

test('the log reports a limit once, however often it is reached', async t => {
  const { sluice, cookie } = await stand(t, { limits: { connections: 1, header_bytes: 1024 } });
  const { all } = await statuses(sluice, 30, { cookie });
  assert.equal(all.filter(status => status === 503).length, 29);
  const client = await sluice.connect();
  client.write(`GET /ws HTTP/1.1\r\nX-Long: ${'x'.repeat(2000)}`);
  await client.ended();
  assert.equal(await sluice.hits('connections'), 29);
  const lines = sluice.program.stderr.filter(line => /limit reached/.test(line));
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.match(lines[0], /limit=connections$/);
  assert.match(lines[1], /limit=header_bytes$/);
});
