/* Spring Session: sessions as its two repositories store them in Redis. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { springCookie, springRecords, springSession, withoutUser } from '../support/frameworks/spring.js';
import { assertEachByteMatters, assertLetIn, assertRefused, startWithSession } from '../support/presets.js';
import { startRedis } from '../support/redis.js';

const USER = 'sessionAttr:userId';

let redis, client;
before(async () => {
  redis = await startRedis(file);
  client = await redis.client();
});

async function write(records) {
  for (const [key, value] of Object.entries(records))
    await (typeof value === 'string' ? client.set(key, value) : client.hSet(key, value));
}

for (const [what, indexed, session] of [
  ['the indexed repository', true, { preset: 'spring' }],
  ['the repository without indexes', false, { preset: 'spring', must_exist: '' }],
])
  describe(what, () => {
    const logIn = async (fields = {}) => {
      const id = randomUUID();
      await write(springRecords(id, springSession({ userId: '42', ...fields }), { indexed }));
      return id;
    };
    let sluice;
    before(async () => {
      sluice = await startWithSession(file, redis, session, USER);
    });

    test('a logged-in user is accepted and receives what is published for this user', async () => {
      const id = await logIn();
      (await assertLetIn(sluice, redis, springCookie(id), '42')).terminate();
    });

    test('accepts a cookie with a route after the id', async () => {
      for (const route of ['.node1', '.n', '.no']) {
        const cookie = springCookie(await logIn(), route);
        (await assertLetIn(sluice, redis, cookie, '42')).terminate();
      }
    });

    test('rejects a session without a log-in', async () => {
      await assertRefused(sluice, springCookie(await logIn({ context: null })));
    });

    test('rejects a session after a log-out that keeps it', async () => {
      const id = await logIn();
      (await sluice.open({ cookie: springCookie(id) })).terminate();
      await write(springRecords(id, withoutUser(springSession({ userId: '42' })), { indexed }));
      await assertRefused(sluice, springCookie(id));
    });

    test('rejects a session after a log-out that deletes it', async () => {
      const id = await logIn();
      (await sluice.open({ cookie: springCookie(id) })).terminate();
      await client.del(`spring:session:sessions:${indexed ? 'expires:' : ''}${id}`);
      await assertRefused(sluice, springCookie(id));
    });

    /* As Spring's SessionRepositoryFilter does, which goes on where the repository has no session. */
    test('tries each of several cookies until a session exists', async () => {
      const [ada, ben] = [await logIn(), await logIn({ userId: '43' })].map(id => springCookie(id));
      const visitor = springCookie(await logIn({ context: null }));
      const gone = springCookie(randomUUID());
      const junk = 'SESSION=!';
      for (const [cookies, user] of [
        [[ada, ben], '42'], [[ben, ada], '43'], [[gone, ada], '42'], [[gone, junk, gone, ben, ada], '43'],
        [[junk, visitor, gone, ada], ''], [[gone, gone], ''], [[junk], ''],
      ]) {
        const cookie = cookies.join('; ');
        if (user) (await assertLetIn(sluice, redis, cookie, user)).terminate();
        else await assertRefused(sluice, cookie, cookie);
      }
    });

    test('asks Redis four times for one request at most', async () => {
      const [ada, ...gone] = [await logIn(), ...Array.from({ length: 100 }, () => randomUUID())].map(id => springCookie(id));
      (await assertLetIn(sluice, redis, [...gone.slice(0, 3), ada].join('; '), '42')).terminate();
      const missing = () => sluice.metric('sluice_session_lookups_total{result="missing"}');
      const before = await missing();
      await assertRefused(sluice, [...gone.slice(0, 4), ada].join('; '));
      await assertRefused(sluice, gone.slice(0, 99).join('; '));
      assert.equal(await missing() - before, 8);
    });

    test('rejects the cookie if any byte is changed', async () => {
      await assertEachByteMatters(sluice, springCookie(await logIn()));
    });
  });

test('accepts a session without a user id', async () => {
  const sluice = await startWithSession(file, redis, { preset: 'spring' }, USER);
  const id = randomUUID();
  await write(springRecords(id, springSession()));
  const browser = await sluice.open({ cookie: springCookie(id) });
  browser.terminate();
});
