/* /readyz: ready means that a log-in and a publication would work. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { standAsUser } from '../support/stand.js';
import { Visitor } from '../support/visitors.js';
import { until } from '../support/wait.js';

const SOON = { within: 5000 };
const FAILED = 'sluice_session_lookups_total{result="failed"}';
let redis, client;

before(async () => {
  redis = await startRedis(file);
  client = await redis.client();
});

async function says(sluice, status, text) {
  await until(async () => {
    const answer = await sluice.admin('/readyz');
    return answer.status === status && text.test(answer.body);
  }, { what: `/readyz says ${status} and ${text}`, ...SOON });
  assert.equal((await sluice.admin('/livez')).status, 200);
}

const rights = {
  'GET': ['-get', '+get', /^worker 0: Redis' ACL denies session look-ups$/m],
  'the keys of sessions': ['resetkeys', 'allkeys', /ACL denies session look-ups/],
  'SUBSCRIBE': ['-subscribe', '+subscribe', /ACL denies SUBSCRIBE/],
};
describe('an ACL that denies', () => {
  for (const [what, [revoke, grant, reason]] of Object.entries(rights))
    test(`${what}: not ready, without a client, and ready again when it is mended`, async t => {
      const { sluice, acl } = await standAsUser(t, redis);
      await acl(revoke);
      await says(sluice, 503, reason);
      await until(() => sluice.log.includes('not ready'));
      await acl(grant);
      await says(sluice, 200, /^ready$/m);
      await until(() => sluice.log.includes('ready again'));
    });

  test('an automatic channel that somebody has: not ready', async t => {
    const { sluice, acl } = await standAsUser(t, redis);
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice);
    await acl('resetchannels', '&__redis__:invalidate', '&user:*');
    await says(sluice, 503, /ACL denies a channel/);
    await acl('allchannels');
    await says(sluice, 200, /ready/);
    visitor.terminate();
  });

  test('GET: failed look-ups are counted', async t => {
    const { sluice, acl } = await standAsUser(t, redis);
    await acl('-get');
    await until(async () => (await sluice.metric(FAILED)) > 0, SOON);
  });

  test('a channel that a client asks for: ready all the same', async t => {
    const { sluice, acl } = await standAsUser(t, redis);
    const visitor = await Visitor.logIn(client);
    await visitor.open(sluice, { query: '?channel=public:a' });
    await acl('resetchannels', '&__redis__:invalidate', '&user:*', '&news');
    await sluice.reaches('sluice_channels_refused', 1);
    const began = performance.now();
    await until(async () => {
      assert.equal((await sluice.admin('/readyz')).status, 200);
      return performance.now() - began > 3000;
    }, SOON);
    visitor.terminate();
  });

  test('the channel of changed sessions: the metric and the log say that only the sweep is left', async t => {
    const { sluice, acl } = await standAsUser(t, redis);
    assert.equal(await sluice.metric('sluice_session_watch{mode="redirect"}'), 1);
    await acl('resetchannels', '&public:*', '&user:*', '&news');
    await sluice.reaches('sluice_session_watch{mode="sweep"}', 1);
    await until(() => /changed sessions are found.*mode=sweep/.test(sluice.log), SOON);
    await acl('allchannels');
    await sluice.reaches('sluice_session_watch{mode="redirect"}', 1);
    await until(() => /changed sessions are found.*mode=redirect/.test(sluice.log), SOON);
  });
});

test('a short outage is not told, a longer one is, and it ends a second after its cause', async t => {
  const own = await startRedis(t);
  const sluice = await startSluice(t, own.url);
  await own.kill();
  await sluice.reaches('sluice_redis_link_up{worker="0",link="command"}', 0);
  assert.equal((await sluice.admin('/readyz')).status, 200);
  await own.start();
  await sluice.ready();
  await own.kill();
  await says(sluice, 503, /^worker 0: the link for commands to Redis is down$/m);
  await own.start();
  await says(sluice, 200, /ready/);
});

test('a Redis that runs a script is not ready', async t => {
  const own = await startRedis(t, { 'busy-reply-threshold': 100 });
  const sluice = await startSluice(t, own.url);
  const script = own.cli('EVAL', 'while true do end', '0').catch(() => {});
  await says(sluice, 503, /worker 0: /);
  await own.cli('SCRIPT', 'KILL');
  await script;
  await says(sluice, 200, /ready/);
});

for (const [name, settings, reason] of [
  ['a cluster', { 'cluster-enabled': 'yes' }, /cluster/i],
]) test(`${name} that is not configured as one is not ready, and the reason says so`, async t => {
  const own = await startRedis(t, settings);
  const sluice = await startSluice(t, own.url, {}, { ready: false });
  await says(sluice, 503, reason);
});
