/* Tickets: log-ins for one connection, for back ends whose sessions Sluice cannot read. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { Browser } from '../support/browser.js';
import { launchChromium } from '../support/chromium.js';
import { file } from '../support/ending.js';
import { handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { configuration, startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { reads } from '../support/visitors.js';
import { until } from '../support/wait.js';

const SESSION = { preset: 'ticket', secrets: [] };
const { redis, sluice } = await stand(file, { session: SESSION });

/* Writes a ticket as a back end does. */
async function issue(says = {}, { ttl = 60, on = redis } = {}) {
  const ticket = randomUUID();
  const json = typeof says === 'string' ? says : JSON.stringify({ userId: 'u1', ...says });
  await on.cli('SET', `ticket:${ticket}`, json, 'EX', String(ttl));
  return ticket;
}

const exists = async key => (await redis.cli('EXISTS', key)) === '1';

/* The answer to a request. */
async function request(gateway, { query = '', path = '/ws', ...options } = {}) {
  const client = await gateway.connect();
  client.write(handshake({ target: `${path}${query}`, ...options }));
  const answer = await client.answer();
  client.destroy();
  return answer;
}
const statusOf = async options => (await request(sluice, options)).status;

/* Opens a browser with a ticket in the query. */
const open = async (says, { gateway = sluice } = {}) =>
  Browser.open(`${gateway.url}?ticket=${await issue(says)}`);

describe('a ticket', () => {
  test('opens a connection for its user, once', async () => {
    const ticket = await issue({ userId: 'u7', teams: ['red'] });
    const client = await sluice.connect();
    await client.open({ target: `/ws?channel=team%3Ared&ticket=${ticket}` });
    assert.equal(await exists(`ticket:${ticket}`), false);
    for (const channel of ['news', 'user:u7', 'team:red']) {
      await redis.cli('PUBLISH', channel, channel);
      assert.equal((await client.frame()).payload.toString(), channel);
    }
    assert.equal(await statusOf({ query: `?ticket=${ticket}` }), 401);
    client.destroy();
  });

  test('opens one of many connections at the same time', async () => {
    const ticket = await issue();
    const all = await Promise.all(Array.from({ length: 20 }, () => statusOf({ query: `?ticket=${ticket}` })));
    assert.deepEqual(all.sort(), [101, ...Array(19).fill(401)]);
  });

  test('may be offered as a subprotocol, and is never echoed', async () => {
    for (const [offer, subprotocol] of [[t => `ticket.${t}`, undefined], [t => `ticket.${t}, chat`, 'chat'],
      [t => `chat, ticket.${t}`, 'chat']]) {
      const ticket = await issue();
      const answer = await request(sluice, { headers: { 'Sec-WebSocket-Protocol': offer(ticket) } });
      assert.equal(answer.status, 101);
      assert.equal(answer.headers['sec-websocket-protocol'], subprotocol);
      assert.doesNotMatch(JSON.stringify(answer), new RegExp(ticket));
    }
  });

  for (const [what, says] of Object.entries({ 'is not JSON': 'u1', 'is not an object': '["u1"]', 'is empty': '' }))
    test(`that ${what} is refused`, async () => {
      const ticket = await issue(says);
      assert.equal(await statusOf({ query: `?ticket=${ticket}` }), 401);
    });

  test('that is unknown or malformed is refused', async () => {
    const ticket = await issue();
    await redis.cli('HSET', 'ticket:hash', 'a', 'b');
    for (const query of ['', '?ticket=', '?ticket', '?ticket=gone', '?ticket=hash', '?ticket=%2A', '?ticket=a%0D%0Ab',
      `?ticket=${'x'.repeat(257)}`, `?ticket=${ticket}&ticket=${ticket}`])
      assert.equal(await statusOf({ query }), 401, query);
    const offered = name => statusOf({ headers: { 'Sec-WebSocket-Protocol': name } });
    assert.equal(await offered('ticket.'), 401);
    assert.equal(await offered('ticket.gone'), 401);
    assert.equal(await offered(`ticket.${ticket}, ticket.gone`), 400);
    assert.equal(await exists(`ticket:${ticket}`), true);
    assert.equal(await statusOf({ query: `?ticket=${ticket}`, headers: { 'Sec-WebSocket-Protocol': 'ticket.gone' } }), 401);
  });

  test('that has expired is refused', async () => {
    const ticket = await issue();
    await redis.cli('PEXPIRE', `ticket:${ticket}`, '1');
    await until(async () => !(await exists(`ticket:${ticket}`)), { what: 'it expires' });
    assert.equal(await statusOf({ query: `?ticket=${ticket}` }), 401);
  });

  test('is refused for a channel that it does not allow', async () => {
    assert.equal(await statusOf({ query: `?channel=team%3Ared&ticket=${await issue({ teams: ['blue'] })}` }), 403);
  });

  test('counts towards the connections of its user', async t => {
    const other = await startSluice(t, redis.url, { session: SESSION, limits: { connections_per_user: 1 } });
    const first = await open({ userId: 'busy' }, { gateway: other });
    await assert.rejects(open({ userId: 'busy' }, { gateway: other }), { status: 429 });
    first.terminate();
  });
});

describe('a check', () => {
  test('reads a ticket without taking it', async () => {
    const ticket = await issue({ teams: ['red'] });
    const plain = { Connection: null, Upgrade: null };
    const check = query => statusOf({ path: '/ws/check', query, headers: plain });
    for (let i = 0; i < 3; i++) assert.equal(await check(`?ticket=${ticket}`), 204);
    assert.equal(await check(`?ticket=${ticket}&channel=team%3Ared`), 204);
    assert.equal(await check(`?ticket=${ticket}&channel=team%3Ablue`), 403);
    assert.equal(await check('?ticket=gone'), 401);
    assert.equal(await check(''), 401);
    assert.equal(await check(`?ticket=${await issue({ session: 'sess:gone' })}`), 401);
    for (const session of ['', [], {}, false, 0])
      assert.equal(await check(`?ticket=${await issue({ session })}`), 401, JSON.stringify(session));
    assert.equal(await check(`?ticket=${await issue({ session: null })}`), 204);
    assert.equal(await statusOf({ query: `?ticket=${ticket}` }), 101);
  });
});

test('with sluice.v1 a ticket decides on subscriptions as long as its connection is open', async () => {
  const ticket = await issue({ userId: 'u3', teams: ['red'] });
  const browser = await Browser.open(sluice.url, { protocols: ['sluice.v1', `ticket.${ticket}`] });
  assert.equal(browser.protocol, 'sluice.v1');
  const { type, user } = JSON.parse(await browser.next());
  assert.deepEqual({ type, user }, { type: 'welcome', user: 'u3' });
  const ask = async (id, channel) => {
    browser.socket.send(JSON.stringify({ type: 'subscribe', id, channel }));
    const answer = JSON.parse(await browser.next());
    assert.equal(answer.id, id);
    return answer.code ?? answer.type;
  };
  assert.equal(await ask(1, 'team:red'), 'subscribed');
  assert.equal(await ask(2, 'team:blue'), 'forbidden');
  assert.equal(await ask(3, 'public:a'), 'subscribed');
  browser.terminate();
});

describe('beside cookies', () => {
  test('a ticket alone decides, whatever the cookie', async t => {
    const { sluice: other, cookie, redis: own } = await stand(t, { session: { ticket: 'ticket:{sid}' } });
    const ticket = (says = {}) => issue(says, { on: own });
    const headers = { Cookie: cookie };
    const status = async options => (await request(other, options)).status;
    assert.equal(await status({ headers }), 101);
    assert.equal(await status({ query: '?ticket=gone', headers }), 401);
    assert.equal(await status({ headers: { ...headers, 'Sec-WebSocket-Protocol': 'ticket.gone' } }), 401);
    assert.equal(await status({ query: `?ticket=${await ticket()}` }), 101);
    assert.equal(await status({ query: `?channel=user%3Au2&ticket=${await ticket({ userId: 'u2' })}`, headers }), 101);
    assert.equal(await status({ query: `?channel=user%3Au1&ticket=${await ticket({ userId: 'u2' })}`, headers }), 403);
  });

  test('without session.ticket, ?ticket is ignored', async t => {
    const { sluice: other, cookie, redis: own } = await stand(t, { workers: 1 });
    const ticket = await issue({}, { on: own });
    const query = `?ticket=${ticket}`;
    assert.equal((await request(other, { query })).status, 401);
    assert.equal((await request(other, { query, headers: { Cookie: cookie } })).status, 101);
    assert.equal(await own.cli('EXISTS', `ticket:${ticket}`), '1');
  });
});

for (const preset of ['express', 'passport', 'fastify', 'django-json', 'better-auth', 'php'])
  test(`a ticket beside the preset ${preset} has its own fields`, async t => {
    const other = await startSluice(t, redis.url, { session: {
      preset, ticket: 'ticket:{sid}', secrets: ['django-json', 'php'].includes(preset) ? [] : ['keyboard cat'] } });
    const query = `?channel=user%3Au5&channel=team%3Ared&ticket=${await issue({ userId: 'u5', teams: ['red'] })}`;
    assert.equal((await request(other, { query })).status, 101);
    for (const says of ['["u5"]', '7'])
      assert.equal((await request(other, { query: `?ticket=${await issue(says)}` })).status, 401, says);
  });

test('a bad ticket opens an anonymous connection if no session is required', async t => {
  const other = await startSluice(t, redis.url, {
    session: { ...SESSION, required: false }, workers: 1 });
  assert.equal((await request(other, { query: '?ticket=gone' })).status, 101);
  assert.equal((await request(other, { query: '?ticket=gone&channel=team%3Ared' })).status, 403);
  const ticket = await issue({ teams: ['red'], session: 'sess:gone' });
  assert.equal((await request(other, { query: `?ticket=${ticket}&channel=team%3Ared` })).status, 403);
});

describe('the session that a ticket names', async () => {
  const both = { session: { preset: 'express', ticket: 'ticket:{sid}' } };
  const other = await startSluice(file, redis.url, both);
  const says = (session, more = {}) => ({ session: `sess:${session}`, ...more });
  const openFor = (...args) => open(says(...args), { gateway: other });

  test('must exist', async () => {
    await logIn(redis, {}, { id: 'there' });
    (await openFor('there')).terminate();
    await assert.rejects(openFor('gone'), { status: 401 });
    await assert.rejects(openFor('x'.repeat(2000)), { status: 401 });
  });

  test('ends its connections when it ends, and no others', async () => {
    for (const id of ['ends', 'stays']) await logIn(redis, {}, { id });
    const ended = await Promise.all([openFor('ends'), openFor('ends'), openFor('ends')]);
    const others = await Promise.all([openFor('stays'), open({ authenticated: true }, { gateway: other })]);
    await redis.cli('DEL', 'sess:ends');
    for (const browser of ended) assert.equal((await browser.closed()).code, 4401);
    await redis.cli('PUBLISH', 'news', 'still here');
    for (const browser of others) {
      assert.equal(await browser.next(), 'still here');
      browser.terminate();
    }
  });

  test('may be in any format, as only its key has to exist', async () => {
    await redis.cli('SET', ':1:django.contrib.sessions.cache4711', 'gASVCgAAAAAAAAB9lIwBYZRLAXMu');
    const session = ':1:django.contrib.sessions.cache4711';
    const browser = await open({ session, userId: 'u9' });
    await redis.cli('PUBLISH', 'user:u9', 'mine');
    assert.equal(await browser.next(), 'mine');
    await redis.cli('DEL', session);
    assert.equal((await browser.closed()).code, 4401);
    await assert.rejects(open({ session }), { status: 401 });
  });

  test('does not change the channels when it changes', async () => {
    await logIn(redis, { userId: 'u6' }, { id: 'changes' });
    const browser = await openFor('changes', { userId: 'u5' });
    const before = await reads(redis);
    await logIn(redis, { userId: 'u6', teams: ['new'] }, { id: 'changes' });
    await until(async () => (await reads(redis)) > before, { what: 'the session is read again' });
    await redis.cli('PUBLISH', 'user:u6', 'not mine');
    await redis.cli('PUBLISH', 'user:u5', 'mine');
    assert.equal(await browser.next(), 'mine');
    await redis.cli('DEL', 'sess:changes');
    assert.equal((await browser.closed()).code, 4401);
    assert.deepEqual(browser.takeAll(), []);
  });
});

test('applies reloaded rules to open connections', async t => {
  const session = { preset: 'express', ticket: 'ticket:{sid}' };
  const other = await startSluice(t, redis.url, { session, workers: 1 });
  await logIn(redis, {}, { id: 'reload' });
  const openFor = more => open({ authenticated: true, userId: 'u8', ...more }, { gateway: other });
  const browsers = [await openFor(), await openFor({ session: 'sess:reload' })];
  const channels = [{ match: 'late:{userId}', allow: 'session', auto: true }];
  await writeFile(other.configFile, JSON.stringify(configuration(redis.url, { session, workers: 1, channels })));
  other.hangUp();
  await until(async () => {
    await redis.cli('PUBLISH', 'late:u8', 'late');
    return browsers.every(browser => browser.received > 0);
  }, { what: 'both are on the new channel' });
  await redis.cli('PUBLISH', 'news', 'news');
  await redis.cli('PUBLISH', 'late:u8', 'last');
  for (const browser of browsers) {
    let text;
    while ((text = await browser.next()) !== 'last') assert.equal(text, 'late');
    browser.terminate();
  }
});

for (const [what, ms, session] of [
  ['that the new configuration rejects', 0, { ...SESSION, authenticated: 'authenticated' }],
  ['that has expired by the new configuration', 1000, { ...SESSION, expires: 'until' }]])
  test(`closes a connection with a ticket ${what} after a reload`, async t => {
    const other = await startSluice(t, redis.url, { session: SESSION, workers: 1 });
    const end = ms && Date.now() + ms;
    const browser = await open({ until: end || null }, { gateway: other });
    await until(() => Date.now() > end);
    const channels = [{ match: 'late', allow: 'session', auto: true }];
    await writeFile(other.configFile, JSON.stringify(configuration(redis.url, { session, workers: 1, channels })));
    other.hangUp();
    assert.equal((await browser.closed({ within: 3000 })).code, 4401);
  });

test('logs that Redis refuses GETDEL', async t => {
  const old = await startRedis(t);
  await old.cli('ACL', 'SETUSER', 'default', '-getdel');
  const other = await startSluice(t, old.url, { session: SESSION, workers: 1 });
  const answer = await request(other, { query: `?ticket=${await issue({}, { on: old })}` });
  assert.equal(answer.status, 503);
  await other.program.line(/ warn .*ticket.*GETDEL needs Redis 6\.2/);
  const began = performance.now();
  for (let i = 0; i < 50; i++) assert.equal((await request(other, { query: `?ticket=made-up-${i}` })).status, 503);
  const lines = other.program.stderr.filter(line => /GETDEL needs/.test(line)).length;
  assert.ok(lines <= 2 + (performance.now() - began) / 10000, `${lines} lines`);
});

test('answers 503 while Redis is down or hangs', async t => {
  const own = await startRedis(t);
  const other = await startSluice(t, own.url, { session: SESSION });
  own.pause();
  const late = await request(other, { query: '?ticket=some' });
  own.resume();
  await own.kill();
  const away = await request(other, { query: '?ticket=some' });
  assert.deepEqual([late.status, away.status], [503, 503]);
  await own.start();
  await other.ready();
  assert.equal((await request(other, { query: `?ticket=${await issue({}, { on: own })}` })).status, 101);
});

test('never puts a ticket in the log or in an answer', async t => {
  const own = await startRedis(t);
  const other = await startSluice(t, own.url, { session: { ...SESSION, reject: 'close' }, log: { level: 'debug' } });
  const set = (name, json) => own.cli('SET', `ticket:${name}`, json);
  await set('canary-good', '{"userId":"canary"}');
  await set('canary-broken', 'canary{');
  await set('canary-ended', '{"session":"canary-session"}');
  await own.cli('LPUSH', 'ticket:canary-list', 'canary');
  const answers = [];
  for (const name of ['good', 'broken', 'ended', 'list', 'gone', '%2A']) {
    answers.push(await request(other, { query: `?ticket=canary-${name}`, path: '/ws/check', headers: { Upgrade: null } }));
    answers.push(await request(other, { query: `?ticket=canary-${name}` }));
    answers.push(await request(other, { headers: { 'Sec-WebSocket-Protocol': `ticket.canary-${name}` } }));
  }
  answers.push(await request(other, { query: '?ticket=canary-x', headers: { Origin: 'http://evil.test' } }));
  answers.push(await request(other, { path: '/canary', query: '?ticket=canary-x' }));
  await own.kill();
  answers.push(await request(other, { query: '?ticket=canary-away' }));
  await other.stop();
  assert.doesNotMatch(other.log, /canary/);
  assert.doesNotMatch(JSON.stringify(answers), /canary/);
});

test('Chromium connects with a ticket among its subprotocols', async t => {
  const other = await startSluice(t, redis.url, { session: SESSION, origins: ['same-host'] });
  const chrome = await launchChromium(t);
  const page = await chrome.newPage();
  await page.goto(`http://127.0.0.1:${other.port}/sluice.js`);
  const opened = await page.evaluate(([url, protocols]) => new Promise(resolve => {
    const socket = new WebSocket(url, protocols);
    socket.onopen = () => resolve(socket.protocol);
    socket.onerror = () => resolve('failed');
  }), [other.url, ['plain', `ticket.${await issue()}`]]);
  assert.equal(opened, 'plain');
});
