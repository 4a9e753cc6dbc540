/* A session changes what it allows: a sluice.v1 connection gets a message for each channel, whatever command
 * is pending. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { isForCommands, isSubscribed, startProxy } from '../support/redis_proxy.js';
import { startSluice } from '../support/sluice.js';
import { Page } from '../support/v1.js';
import { until } from '../support/wait.js';
import { NO_SWEEP, Visitor, reads } from '../support/visitors.js';

const CHANNELS = [
  { match: 'news', allow: 'session', auto: true },
  { match: 'unit:{units}', allow: 'session', auto: true },
  { match: 'team:{teams}', allow: 'session' },
  { match: 'public:*', allow: 'anyone' },
];
const CONFIG = { channels: CHANNELS, session: NO_SWEEP };

const redis = await startRedis(file);
const sluice = await startSluice(file, redis.url, { workers: 3, ...CONFIG });
const client = await redis.client();

const revoked = channel => ({ type: 'unsubscribed', channel, reason: 'revoked' });
const byChannel = (a, b) => a.channel.localeCompare(b.channel);

async function open(fields, { gateway = sluice, query = '', count = 1 } = {}) {
  const visitor = await Visitor.logIn(client, fields);
  const pages = await Promise.all(Array.from({ length: count }, () =>
    Page.open(gateway, { cookie: visitor.cookie, query })));
  return { visitor, pages, page: pages[0], end: () => pages.forEach(page => page.terminate()) };
}

/* The next message is this publication. */
async function assertNext(page, channel, payload) {
  await client.publish(channel, JSON.stringify(payload));
  assert.deepEqual(await page.next(), { type: 'publication', channel, data: payload });
}

describe('a sluice.v1 connection', () => {
  test('gets "unsubscribed" for a lost channel, in every worker, and keeps the others', async () => {
    const { visitor, pages, end } = await open(
      { teams: [1, 2] }, { query: '?channel=team:1&channel=team:2', count: 6 });
    await visitor.write({ teams: [1] });
    for (const page of pages) assert.deepEqual(await page.next({ within: 1000 }), revoked('team:2'));
    await client.publish('team:2', '"not for you"');
    await client.publish('team:1', '"for you"');
    for (const page of pages)
      assert.deepEqual(await page.next(), { type: 'publication', channel: 'team:1', data: 'for you' });
    end();
  });

  test('gets a message for each lost and each new channel', async () => {
    const { visitor, page, end } = await open({ teams: [1], units: [1, 2] }, { query: '?channel=team:1' });
    await visitor.write({ teams: [], units: [2, 3, 4] });
    const told = [];
    while (told.length < 4) told.push(await page.next({ within: 1000 }));
    assert.deepEqual(told.filter(({ type }) => type === 'unsubscribed').sort(byChannel), [
      revoked('team:1'), revoked('unit:1')]);
    assert.deepEqual(told.filter(({ type }) => type === 'subscribed').sort(byChannel), [
      { type: 'subscribed', channel: 'unit:3' }, { type: 'subscribed', channel: 'unit:4' }]);
    await assertNext(page, 'unit:4', 1);
    await assertNext(page, 'unit:2', 2);
    end();
  });

  test('gets nothing when its channels do not change', async () => {
    const { visitor, page, end } = await open({ teams: [1], units: [1] }, { query: '?channel=team:1' });
    const before = await reads(client);
    await visitor.write({ teams: [1, 2], units: [1], basket: [] });
    await until(async () => (await reads(client)) > before, { what: 'the session is read again' });
    await assertNext(page, 'news', 1);
    end();
  });

  test('stays open when no channel is left', async () => {
    const { visitor, page, end } = await open({ teams: [1] }, { query: '?channel=team:1' });
    await page.unsubscribe('news');
    await visitor.write({ teams: [] });
    const told = [await page.next(), await page.next().catch(() => null)].filter(Boolean);
    assert.ok(told.some(({ type, channel }) => type === 'unsubscribed' && channel === 'team:1'));
    assert.ok(page.browser.isOpen);
    assert.deepEqual(await page.subscribe('public:x'), { type: 'subscribed', channel: 'public:x' });
    await visitor.write({ teams: [1] });
    await until(async () => (await page.subscribe('team:1')).type === 'subscribed');
    end();
  });

  test('may ask at once for a channel that is allowed again', async () => {
    const { visitor, page, end } = await open({ teams: [1] }, { query: '?channel=team:1' });
    await visitor.write({ teams: [] });
    assert.deepEqual(await page.next(), revoked('team:1'));
    assert.equal((await page.subscribe('team:1')).code, 'forbidden');
    await visitor.write({ teams: [1] });
    assert.deepEqual(await page.subscribe('team:1'), { type: 'subscribed', channel: 'team:1' });
    end();
  });

  test('is closed with 4401 when the session ends', async () => {
    const { visitor, pages } = await open({}, { count: 4 });
    await client.del(visitor.key);
    for (const page of pages) assert.equal((await page.closed({ within: 1000 })).code, 4401);
  });
});

describe('while a command is pending', () => {
  async function slow(t, fields, query = '') {
    const proxy = await startProxy(t, redis);
    const gateway = await startSluice(t, proxy.url, { workers: 1, ...CONFIG });
    const opened = await open(fields, { gateway, query });
    const asked = proxy.seen.length;
    const sees = (word, what) => until(() => proxy.seen.slice(asked).some(words => words.includes(word)), { what });
    return { proxy, gateway, sees, ...opened };
  }

  /* The command gets one answer, which is "subscribed" only if "unsubscribed" follows. Then the page is not on
   * the channel. */
  async function assertNotOn(page, channel, id) {
    const answer = await page.next({ within: 2000 });
    assert.equal(answer.id, id);
    if (answer.type === 'subscribed') assert.deepEqual(await page.nextOf('unsubscribed', { within: 2000 }), revoked(channel));
    else assert.equal(answer.code, 'forbidden');
    await client.publish(channel, '"secret"');
    await assertNext(page, 'news', 'mark');
    await redis.left(channel);
  }

  test('the session loses the channel while its record is on the way', async t => {
    const { proxy, page, visitor, end } = await slow(t, { teams: [1] });
    proxy.keeps = isForCommands;
    page.send({ type: 'subscribe', id: 1, channel: 'team:1' });
    await until(() => proxy.kept.some(reply => reply.includes('teams')), { what: 'the record is held back' });
    await visitor.write({ teams: [] });
    await until(() => proxy.invalidations > 0, { what: 'the message that the key has changed' });
    proxy.release();
    await assertNotOn(page, 'team:1', 1);
    end();
  });

  test('the session loses the channel before the subscription is confirmed: one answer, with the id', async t => {
    const { proxy, page, visitor, sees, end } = await slow(t, { teams: [1] });
    proxy.keeps = isSubscribed;
    page.send({ type: 'subscribe', id: 'mine', channel: 'team:1' });
    await sees('team:1', 'a SUBSCRIBE');
    const before = await reads(client);
    await visitor.write({ teams: [] });
    await until(() => proxy.invalidations > 0, { what: 'the message that the key has changed' });
    proxy.release();
    await until(async () => (await reads(client)) > before, { what: 'the session is read again' });
    await assertNotOn(page, 'team:1', 'mine');
    end();
  });

  test('a look-up for the command finds that the session has another user', async t => {
    const { proxy, page, visitor } = await slow(t, { teams: [1] });
    proxy.swallows = true;
    await visitor.write({ userId: 'u2', teams: [7] });
    page.send({ type: 'subscribe', id: 1, channel: 'team:7' });
    assert.equal((await page.closed({ within: 1000 })).code, 4401);
    assert.ok(!page.takeAll().some(({ type }) => type === 'subscribed'));
    await redis.left('team:7');
  });

  test('a look-up for the command finds that the session has ended', async t => {
    const { proxy, page, visitor } = await slow(t, { teams: [1] });
    proxy.swallows = true;
    await client.del(visitor.key);
    page.send({ type: 'subscribe', id: 1, channel: 'team:1' });
    assert.equal((await page.closed({ within: 1000 })).code, 4401);
    assert.ok(!page.takeAll().some(({ type }) => type === 'subscribed'));
  });

  test('the session ends, many times', async () => {
    for (let i = 0; i < 20; i++) {
      const { visitor, pages } = await open({ teams: [1, 2, 3] }, { count: 3 });
      for (const page of pages)
        for (const team of [1, 2, 3]) page.send({ type: 'subscribe', id: team, channel: `team:${team}` });
      await client.del(visitor.key);
      for (const page of pages) assert.equal((await page.closed({ within: 1000 })).code, 4401);
    }
    await redis.left('team:1');
  });
});
