/* What happens while a session is being read over a slow link: the record ends before its answer arrives, or
 * the settings change. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { startRedis } from '../support/redis.js';
import { isForCommands, startProxy } from '../support/redis_proxy.js';
import { configuration, startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { NO_SWEEP, Visitor, assertReceived } from '../support/visitors.js';

/* A gateway with one open connection, `other`. */
async function stand(t) {
  const redis = await startRedis(t);
  const proxy = await startProxy(t, redis);
  const own = { workers: 1, session: NO_SWEEP, heartbeat: { interval: 0 } };
  const sluice = await startSluice(t, proxy.url, own);
  const client = await redis.client();
  const other = await Visitor.logIn(client, { userId: 'other' });
  await other.open(sluice);
  return { proxy, sluice, own, client, other };
}

/* Opens a connection, and waits until Redis has answered its look-up, which does not arrive. */
async function openSlowly(proxy, sluice, visitor) {
  proxy.keeps = isForCommands;
  const opening = visitor.open(sluice).then(() => ({ status: 101 }), error => error);
  await until(() => proxy.kept.some(reply => reply.includes('"u1"')), { what: 'Redis has answered' });
  return { opening };
}

test('lets nobody in whose session was deleted while its answer was on the way', async t => {
  const { proxy, sluice, client, other } = await stand(t);
  const visitor = await Visitor.logIn(client);
  const { opening } = await openSlowly(proxy, sluice, visitor);
  await client.del(visitor.key);
  await assertReceived(client, 'news', other.browsers); // so it has heard of the deletion
  proxy.release();
  assert.equal((await opening).status, 401);
  assert.ok(other.isUntouched);
  other.terminate();
});

test('lets somebody in whose session was written while its answer was on the way', async t => {
  const { proxy, sluice, client, other } = await stand(t);
  const visitor = await Visitor.logIn(client);
  const { opening } = await openSlowly(proxy, sluice, visitor);
  await visitor.touch();
  await assertReceived(client, 'news', other.browsers);
  proxy.release();
  assert.equal((await opening).status, 101);
  other.terminate();
  visitor.terminate();
});

/* The answer to GET is not one to HGETALL. */
test('keeps its links when session.lookup changes while an answer is on the way', async t => {
  const { proxy, sluice, own, client, other } = await stand(t);
  const visitor = await Visitor.logIn(client);
  const { opening } = await openSlowly(proxy, sluice, visitor);
  const session = { ...own.session, lookup: 'hash' };
  await writeFile(sluice.configFile, JSON.stringify(configuration(proxy.url, { ...own, session })));
  sluice.hangUp();
  await until(() => sluice.log.includes('configuration reloaded'), { what: 'the reload' });
  proxy.release();
  assert.equal((await opening).status, 401);
  await other.closed(4401);
  assert.doesNotMatch(sluice.log, /unexpected reply/);
  assert.equal(await sluice.metric('sluice_redis_reconnects_total{link="command"}'), 0);
});
