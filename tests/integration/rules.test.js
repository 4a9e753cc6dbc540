/* A session changes what it allows: its connections follow at once. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { NO_SWEEP, Visitor, assertNotReceived, assertReceived, reads } from '../support/visitors.js';

const CHANNELS = [
  { match: 'news', allow: 'session', auto: true },
  { match: 'role:{role}', allow: 'session', auto: true },
  { match: 'unit:{units}', allow: 'session', auto: true },
  { match: 'team:{teams}', allow: 'session' },
  { match: 'public:*', allow: 'anyone' },
];

const redis = await startRedis(file);
const sluice = await startSluice(file, redis.url, { workers: 3, channels: CHANNELS, session: NO_SWEEP });
const strict = await startSluice(file, redis.url, {
  workers: 2, channels: CHANNELS.filter(({ match }) => match !== 'news'), session: NO_SWEEP });
const client = await redis.client();

const BOTH_TEAMS = '?channel=team:1&channel=team:2';
const left = channel => redis.left(channel);

async function member(fields, gateway = sluice, query = BOTH_TEAMS, count = 6) {
  const visitor = await Visitor.logIn(client, fields);
  await visitor.open(gateway, { query, count });
  return visitor;
}

describe('a plain connection', () => {
  test('loses a channel that the session no longer allows, and keeps the others', async () => {
    const one = await member({ teams: [1, 2] });
    await assertReceived(client, 'team:2', one.browsers);
    const before = await sluice.metric('sluice_subscriptions');
    await one.write({ teams: [1] });
    await left('team:2');
    await assertNotReceived(client, 'team:2', one.browsers);
    await assertReceived(client, 'team:1', one.browsers);
    assert.equal(await sluice.metric('sluice_subscriptions'), before - one.browsers.length);
    assert.ok(one.isUntouched);
    one.terminate();
  });

  test('does not lose a channel through another session', async () => {
    const one = await member({ teams: [1, 2] });
    const other = await member({ userId: 'u2', teams: [1, 2] });
    const both = await sluice.metric('sluice_subscriptions');
    await one.write({ teams: [1] });
    await sluice.reaches('sluice_subscriptions', both - one.browsers.length);
    await assertReceived(client, 'team:2', other.browsers);
    await assertNotReceived(client, 'team:2', one.browsers);
    one.terminate();
    other.terminate();
  });

  test('does not rejoin a channel that is allowed again', async () => {
    const one = await member({ teams: [1, 2] }, sluice, BOTH_TEAMS, 2);
    await one.write({ teams: [1] });
    await left('team:2');
    const before = await reads(client);
    await one.write({ teams: [1, 2] });
    await until(async () => (await reads(client)) > before, { what: 'the session is read again' });
    await assertNotReceived(client, 'team:2', one.browsers);
    one.terminate();
  });

  test('changes its automatic channel with the session', async () => {
    const one = await member({ role: 'admin', teams: [1, 2] });
    await assertReceived(client, 'role:admin', one.browsers);
    await one.write({ role: 'guest', teams: [1, 2] });
    await left('role:admin');
    await assertReceived(client, 'role:guest', one.browsers);
    await assertNotReceived(client, 'role:admin', one.browsers);
    await assertReceived(client, 'team:1', one.browsers);
    one.terminate();
  });

  test('joins and leaves automatic channels, one for each element of an array', async () => {
    const one = await member({ units: [1] }, sluice, '');
    await one.write({ units: [1, 2, 3] });
    await assertReceived(client, 'unit:2', one.browsers);
    await assertReceived(client, 'unit:3', one.browsers);
    await one.write({ units: [3, 4] });
    await left('unit:1');
    await redis.joined('unit:4');
    await assertReceived(client, 'unit:4', one.browsers);
    await assertReceived(client, 'unit:3', one.browsers);
    await assertNotReceived(client, 'unit:2', one.browsers);
    one.terminate();
  });

  test('receives a publication once, however often the session changes', async () => {
    const one = await member({ units: [1, 2] }, sluice, '', 2);
    for (let i = 0; i < 10; i++) await one.write({ units: [1, 2], visits: i });
    await one.write({ units: [1, 2, 3] });
    await assertReceived(client, 'unit:3', one.browsers);
    await client.publish('unit:1', 'once');
    await client.publish('news', 'the end');
    for (const browser of one.browsers) {
      const seen = [];
      await until(() => (seen.push(...browser.takeAll()), seen.includes('the end')));
      assert.equal(seen.filter(text => text === 'once').length, 1);
    }
    one.terminate();
  });

  test('keeps channels that anyone may have', async () => {
    const one = await member({ teams: [1] }, sluice, '?channel=public:x&channel=team:1', 2);
    await one.write({ teams: [] });
    await left('team:1');
    await assertReceived(client, 'public:x', one.browsers);
    one.terminate();
  });

  test('is closed with 4403 when no channel is left', async () => {
    const one = await member({ teams: [1, 2] }, strict);
    const before = await strict.metric('sluice_closes_total{code="4403"}');
    await one.write({ teams: [2] });
    await left('team:1');
    assert.ok(one.isUntouched);
    await one.write({ teams: [] });
    await one.closed(4403);
    assert.equal(await strict.metric('sluice_closes_total{code="4403"}'), before + one.browsers.length);
    await left('team:2');
  });

  test('is closed with 4403 when the session lacks the fields of its rules', async () => {
    const one = await member({ teams: [1, 2] }, strict);
    await one.write({});
    await one.closed(4403);
  });

  test('stays open when all its channels are exchanged at once', async () => {
    const one = await member({ role: 'a' }, strict, '');
    await one.write({ role: 'b' });
    await assertReceived(client, 'role:b', one.browsers);
    assert.ok(one.isUntouched);
    one.terminate();
  });

  test('is closed with 4401 when it loses a channel and then its session', async () => {
    const one = await member({ teams: [1, 2] });
    await one.write({ teams: [1] });
    await client.del(one.key);
    await one.closed();
  });
});

test('a reload with other rules changes the channels of open connections', async t => {
  const own = await startSluice(t, redis.url, { channels: CHANNELS, session: NO_SWEEP });
  const one = await member({ role: 'x', teams: [1, 2] }, own);
  await assertReceived(client, 'role:x', one.browsers);
  await changeRules(own, CHANNELS.filter(({ match }) => !match.startsWith('team')));
  await left('team:1');
  await left('team:2');
  await assertReceived(client, 'role:x', one.browsers);

  await changeRules(own, [{ match: 'late', allow: 'session', auto: true }]);
  await assertReceived(client, 'late', one.browsers);
  await left('role:x');
  await changeRules(own, []);
  await one.closed(4403);
});

/* As an operator does: a new file, and SIGHUP. */
async function changeRules(gateway, channels) {
  const config = JSON.parse(await readFile(gateway.configFile, 'utf8'));
  await writeFile(gateway.configFile, JSON.stringify({ ...config, channels }));
  gateway.hangUp();
}
