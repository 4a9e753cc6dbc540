/* The record, or the ticket, names the end of the session. The connection is closed then, without a sweep. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { Visitor, assertReceived } from '../support/visitors.js';

const LIFE_MS = 1500;
const CHANNELS = [{ match: 'news', allow: 'session', auto: true }];

const redis = await startRedis(file);
const client = await redis.client();
const [byRecord, byTicket] = await Promise.all([
  { sweep: 0, expires: 'cookie.expires' },
  { sweep: 0, preset: 'ticket', secrets: [], expires: 'until' },
].map(session => startSluice(file, redis.url, { session, channels: CHANNELS })));

/* Writes a record that names an end, in a form that session.expires takes. */
async function write(visitor, endsAt, form = at => new Date(at).toISOString()) {
  await visitor.write({ cookie: { expires: form(endsAt) } });
}

async function assertClosedAt(visitor, endsAt) {
  await visitor.closed(4401, { within: LIFE_MS + 3000 });
  assert.ok(Date.now() >= endsAt, `${endsAt - Date.now()} ms early`);
}

for (const [name, form] of Object.entries({ 'ISO 8601': undefined, 'milliseconds': at => at }))
  test(`a session ends when its record says so, in ${name}`, async () => {
    const [visitor, other] = [new Visitor(client), await Visitor.logIn(client)];
    const endsAt = Date.now() + LIFE_MS;
    await write(visitor, endsAt, form);
    await visitor.open(byRecord, { count: 4 });
    await other.open(byRecord);
    await assertClosedAt(visitor, endsAt);
    await assertReceived(client, 'news', other.browsers);
    await assert.rejects(visitor.open(byRecord), { status: 401 });
    other.terminate();
  });

test('a session that is extended ends at its new end', async () => {
  const visitor = new Visitor(client);
  const endsAt = Date.now() + LIFE_MS;
  await write(visitor, endsAt);
  await visitor.open(byRecord, { count: 4 });
  await write(visitor, endsAt + LIFE_MS);
  await assertClosedAt(visitor, endsAt + LIFE_MS);
});

describe('a ticket', () => {
  const issue = async says => {
    const ticket = randomUUID();
    await client.set(`ticket:${ticket}`, JSON.stringify({ userId: 'u1', ...says }));
    return `?ticket=${ticket}`;
  };

  test('ends when it says so', async () => {
    const visitor = new Visitor(client);
    const endsAt = Date.now() + LIFE_MS;
    await visitor.open(byTicket, { query: await issue({ until: endsAt }) });
    await assertClosedAt(visitor, endsAt);
  });

  test('that names no end lasts', async () => {
    const [visitor, brief] = [new Visitor(client), new Visitor(client)];
    const endsAt = Date.now() + LIFE_MS;
    await visitor.open(byTicket, { query: await issue() });
    await brief.open(byTicket, { query: await issue({ until: endsAt }) });
    await assertClosedAt(brief, endsAt);
    await assertReceived(client, 'news', visitor.browsers);
    visitor.terminate();
  });
});
