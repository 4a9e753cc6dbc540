/* A session goes on, but allows less or more than it did: who speaks sluice.v1 is told of each channel,
 * whatever is under way. */
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

/* The publication that comes next is this one. */
async function assertNext(page, channel, payload) {
  await client.publish(channel, JSON.stringify(payload));
  assert.deepEqual(await page.next(), { type: 'publication', channel, data: payload });
}

describe('who speaks sluice.v1 is told', () => {
  test('that a team is lost, in every worker; the rest goes on', async () => {
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

  test('of all that is lost and all that is new', async () => {
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

  test('nothing, when nothing changes for it', async () => {
    const { visitor, page, end } = await open({ teams: [1], units: [1] }, { query: '?channel=team:1' });
    const before = await reads(client);
    await visitor.write({ teams: [1, 2], units: [1], basket: [] });
    await until(async () => (await reads(client)) > before, { what: 'it is read again' });
    await assertNext(page, 'news', 1);
    end();
  });

  test('and stays open when no channel is left', async () => {
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

  test('a team that comes back can be asked for at once', async () => {
    const { visitor, page, end } = await open({ teams: [1] }, { query: '?channel=team:1' });
    await visitor.write({ teams: [] });
    assert.deepEqual(await page.next(), revoked('team:1'));
    assert.equal((await page.subscribe('team:1')).code, 'forbidden');
    await visitor.write({ teams: [1] });
    assert.deepEqual(await page.subscribe('team:1'), { type: 'subscribed', channel: 'team:1' });
    end();
  });

  test('4401, when the session ends', async () => {
    const { visitor, pages } = await open({}, { count: 4 });
    await client.del(visitor.key);
    for (const page of pages) assert.equal((await page.closed({ within: 1000 })).code, 4401);
  });
});

describe('a command is under way', () => {
  async function slow(t, fields, query = '') {
    const proxy = await startProxy(t, redis);
    const gateway = await startSluice(t, proxy.url, { workers: 1, ...CONFIG });
    const opened = await open(fields, { gateway, query });
    const asked = proxy.seen.length;
    const sees = (word, what) => until(() => proxy.seen.slice(asked).some(words => words.includes(word)), { what });
    return { proxy, gateway, sees, ...opened };
  }

  /* The command is answered once; by "subscribed" only if the opposite follows. Then it is not on the
   * channel. */
  async function assertNotOn(page, channel, id) {
    const answer = await page.next({ within: 2000 });
    assert.equal(answer.id, id);
    if (answer.type === 'subscribed') assert.deepEqual(await page.nextOf('unsubscribed', { within: 2000 }), revoked(channel));
    else assert.equal(answer.code, 'forbidden');
    await client.publish(channel, '"secret"');
    await assertNext(page, 'news', 'mark');
    await until(async () => (await redis.subscribers(channel)) === 0, { what: `${channel} is left` });
  }

  test('the session allows the channel when it is asked, and no more when that is told', async t => {
    const { proxy, page, visitor, end } = await slow(t, { teams: [1] });
    proxy.keeps = isForCommands;
    page.send({ type: 'subscribe', id: 1, channel: 'team:1' });
    await until(() => proxy.kept.some(reply => reply.includes('teams')), { what: 'the record is kept back' });
    await visitor.write({ teams: [] });
    await until(() => proxy.invalidations > 0, { what: 'Redis tells' });
    proxy.release();
    await assertNotOn(page, 'team:1', 1);
    end();
  });

  test('it allows it no more before Redis confirms: one answer with the command\'s id', async t => {
    const { proxy, page, visitor, sees, end } = await slow(t, { teams: [1] });
    proxy.keeps = isSubscribed;
    page.send({ type: 'subscribe', id: 'mine', channel: 'team:1' });
    await sees('team:1', 'a SUBSCRIBE');
    const before = await reads(client);
    await visitor.write({ teams: [] });
    await until(() => proxy.invalidations > 0, { what: 'Redis tells' });
    proxy.release();
    await until(async () => (await reads(client)) > before, { what: 'it is read again' });
    await assertNotOn(page, 'team:1', 'mine');
    end();
  });

  test('the session has become somebody else\'s, of which nobody has heard: asking finds it out', async t => {
    const { proxy, page, visitor } = await slow(t, { teams: [1] });
    proxy.swallows = true;
    await visitor.write({ userId: 'u2', teams: [7] });
    page.send({ type: 'subscribe', id: 1, channel: 'team:7' });
    assert.equal((await page.closed({ within: 1000 })).code, 4401);
    assert.ok(!page.takeAll().some(({ type }) => type === 'subscribed'));
    await until(async () => (await redis.subscribers('team:7')) === 0);
  });

  test('the session has ended, of which nobody has heard: asking finds it out', async t => {
    const { proxy, page, visitor } = await slow(t, { teams: [1] });
    proxy.swallows = true;
    await client.del(visitor.key);
    page.send({ type: 'subscribe', id: 1, channel: 'team:1' });
    assert.equal((await page.closed({ within: 1000 })).code, 4401);
    assert.ok(!page.takeAll().some(({ type }) => type === 'subscribed'));
  });

  test('it ends with the session, many times', async () => {
    for (let i = 0; i < 20; i++) {
      const { visitor, pages } = await open({ teams: [1, 2, 3] }, { count: 3 });
      for (const page of pages)
        for (const team of [1, 2, 3]) page.send({ type: 'subscribe', id: team, channel: `team:${team}` });
      await client.del(visitor.key);
      for (const page of pages) assert.equal((await page.closed({ within: 1000 })).code, 4401);
    }
    await until(async () => (await redis.subscribers('team:1')) === 0);
  });
});
