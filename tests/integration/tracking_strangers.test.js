/* Redis keeps the name of every key that it tracks, whether it exists or not. Session ids and tickets that
 * strangers make up leave nothing there, and a session that exists is watched nevertheless. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { describe, test } from 'node:test';
import { RawClient, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { NO_SWEEP, Visitor, each } from '../support/visitors.js';

const STRANGERS = 5000;
const FEW = 200;
const CHANNELS = [{ match: 'news', allow: 'session', auto: true }];

const SPRING = {
  'sessionAttr:SPRING_SECURITY_CONTEXT': '{"authenticated":true}',
  'sessionAttr:org.springframework.session.FindByIndexNameSessionRepository.PRINCIPAL_NAME_INDEX_NAME': '"u1"',
};

const tracked = async client => Number(/tracking_total_keys:(\d+)/.exec(await client.info('stats'))[1]);

async function stand(t, session) {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url, {
    session: { ...NO_SWEEP, secrets: [], ...session }, channels: CHANNELS,
    limits: { half_open_per_ip: 0, upgrades_per_second: 0 } });
  return { sluice, client: await redis.client() };
}

/* Sends a request, and returns the status of its answer. */
async function statusOf(sluice, options) {
  const browser = await RawClient.connect(sluice.target);
  browser.write(handshake(options));
  const { status } = await browser.answer();
  browser.destroy();
  return status;
}

describe('made-up ids leave no keys in the table of', () => {
  const kinds = {
    'strings': {
      session: { signature: 'none', cookie: 'sid', key: 'app:{sid}', authenticated: '', user: 'userId' },
      n: STRANGERS,
      cookie: id => `sid=${id}`,
      logIn: (client, id) => client.set(`app:${id}`, '{"userId":"u1"}'),
      end: (client, id) => client.del(`app:${id}`),
    },
    'hashes with a second key that must exist': {
      session: { preset: 'spring' },
      n: FEW,
      cookie: id => `SESSION=${btoa(id)}`,
      logIn: (client, id) => client.multi().hSet(`spring:session:sessions:${id}`, SPRING)
        .set(`spring:session:sessions:expires:${id}`, '').exec(),
      end: (client, id) => client.del(`spring:session:sessions:expires:${id}`),
      keys: 2,
    },
    'keys that only have to exist': {
      session: { signature: 'none', cookie: 'sid', key: 'app:{sid}', lookup: 'exists', authenticated: '', user: '' },
      n: FEW,
      cookie: id => `sid=${id}`,
      logIn: (client, id) => client.set(`app:${id}`, 'anything'),
      end: (client, id) => client.del(`app:${id}`),
    },
  };
  for (const [name, { session, n, cookie, logIn, end, keys = 1 }] of Object.entries(kinds))
    test(name, async t => {
      const { sluice, client } = await stand(t, session);
      const before = await tracked(client);
      await each(n, async () => {
        const headers = { Cookie: cookie(randomUUID()) };
        assert.equal(await statusOf(sluice, { headers }), 401);
        if (n === FEW) assert.equal(await statusOf(sluice, { target: '/ws/check', headers }), 401);
      }, { atOnce: 20 });
      assert.equal(await tracked(client), before);

      const visitor = new Visitor(client);
      await logIn(client, visitor.id);
      await visitor.open(sluice, { cookie: cookie(visitor.id) });
      assert.equal(await tracked(client), before + keys);
      await end(client, visitor.id);
      await visitor.closed();
    });

  test('tickets, taken and checked', async t => {
    const { sluice, client } = await stand(t, { preset: 'ticket' });
    const before = await tracked(client);
    await each(FEW, async () => {
      for (const path of ['/ws', '/ws/check'])
        assert.equal(await statusOf(sluice, { target: `${path}?ticket=${randomUUID()}` }), 401);
    }, { atOnce: 20 });
    assert.equal(await tracked(client), before);

    const visitor = await Visitor.logIn(client);
    await client.set('ticket:good', JSON.stringify({ userId: 'u1', session: visitor.key }));
    await visitor.open(sluice, { query: '?ticket=good' });
    assert.equal(await tracked(client), before + 1);
    await client.del(visitor.key);
    await visitor.closed();
  });

  test('ids that are not signed any more after a SIGHUP', async t => {
    const { sluice, client } = await stand(t, { preset: 'express', secrets: ['keyboard cat'] });
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice);
    const config = JSON.parse(await readFile(sluice.configFile, 'utf8'));
    Object.assign(config.session, { signature: 'none', secrets: [], cookie: 'sid' });
    await writeFile(sluice.configFile, JSON.stringify(config));
    sluice.hangUp();
    await sluice.program.line(/configuration reloaded/);
    const before = await tracked(client);
    for (let n = 0; n < FEW; n++)
      assert.equal(await statusOf(sluice, { headers: { Cookie: `sid=${randomUUID()}` } }), 401);
    assert.equal(await tracked(client), before);
    await client.del(visitor.key);
    await visitor.closed();
  });
});
