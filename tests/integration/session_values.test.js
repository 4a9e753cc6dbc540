/* The session's record in Redis: what counts as logged in, and that a look-up never changes it. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { handshake } from '../support/raw_client.js';
import { COOKIE, cookieFor, logIn, putSession } from '../support/sessions.js';
import { stand } from '../support/stand.js';
import { startSluice } from '../support/sluice.js';
import { reads } from '../support/visitors.js';
import { until } from '../support/wait.js';

let redis, sluice;
before(async () => {
  ({ redis, sluice } = await stand(file));
});

async function statusWith(gateway, cookie) {
  const client = await gateway.connect();
  client.write(handshake({ headers: { Cookie: cookie } }));
  const { status } = await client.answer();
  client.destroy();
  return status;
}

const good = {
  'an empty cookie member': '{"cookie":{},"authenticated":true}',
  'cookie.expires long past, as express leaves it':
    '{"cookie":{"originalMaxAge":1000,"expires":"2001-01-01T00:00:00.000Z"},"authenticated":true}',
  'no cookie member': '{"authenticated":true,"userId":"ada"}',
  'a cookie member that is not an object': '{"cookie":1,"authenticated":true}',
  'a user id that is a number': '{"cookie":{},"authenticated":true,"userId":9007199254740993}',
  'spaces and newlines': ' {\n "cookie" : {} ,\t"authenticated" : true } ',
  'many more fields': JSON.stringify({
    cookie: COOKIE, authenticated: true, userId: 'u1', cart: Array(500).fill({ id: 1, n: 'x' }) }),
};
const bad = {
  'authenticated "true", a string': '{"cookie":{},"authenticated":"true"}',
  'authenticated 1': '{"cookie":{},"authenticated":1}',
  'authenticated null': '{"cookie":{},"authenticated":null}',
  'no authenticated': '{"cookie":{}}',
  'Authenticated in another case': '{"cookie":{},"Authenticated":true}',
  'a duplicate key': '{"cookie":{},"authenticated":true,"authenticated":false}',
  'authenticated inside __proto__': '{"cookie":{},"__proto__":{"authenticated":true}}',
  'broken JSON': '{bad json',
  'bytes after the JSON': '{"cookie":{},"authenticated":true} x',
  'an array': '[]',
  'null': 'null',
  'an empty string': '',
};

let number = 0;
for (const [values, status, verb] of [[good, 101, 'accepts'], [bad, 401, 'rejects']])
  describe(`${verb} a session with`, () => {
    for (const [what, text] of Object.entries(values))
      test(what, async () => {
        const id = `value-${number++}`;
        await putSession(redis, id, text);
        assert.equal(await statusWith(sluice, cookieFor(id)), status);
      });
  });

test('rejects a key that is not a string', async () => {
  await redis.cli('HSET', 'sess:hash', 'authenticated', 'true');
  assert.equal(await statusWith(sluice, cookieFor('hash')), 401);
});

test('rejects a session that has expired', async () => {
  await putSession(redis, 'brief', '{"cookie":{},"authenticated":true}');
  await redis.cli('PEXPIRE', 'sess:brief', '1');
  await until(async () => Number(await redis.cli('EXISTS', 'sess:brief')) === 0, { what: 'it expires' });
  assert.equal(await statusWith(sluice, cookieFor('brief')), 401);
});

test('accepts a session without a time to live', async () => {
  await redis.cli('SET', 'sess:forever', '{"cookie":{},"authenticated":true}');
  assert.equal(await statusWith(sluice, cookieFor('forever')), 101);
});

test('an upgrade changes nothing in Redis, not even the time to live', async () => {
  const cookie = await logIn(redis, {}, { id: 'untouched' });
  await redis.cli('EXPIRE', 'sess:untouched', '1000');
  const before = await redis.cli('GET', 'sess:untouched');
  await redis.cli('CONFIG', 'RESETSTAT');

  for (let i = 0; i < 3; i++) {
    const browser = await sluice.open({ cookie });
    await browser.close(1000);
  }

  const harmless = /^(get|ping|hello|auth|select|subscribe|unsubscribe|info|client\|.*|config\|resetstat)$/;
  const others = (await redis.commands()).filter(command => !harmless.test(command));
  assert.deepEqual(others, []);
  const ttl = Number(await redis.cli('TTL', 'sess:untouched'));
  assert.ok(ttl > 990 && ttl <= 1000, `${ttl}`);
  assert.equal(await redis.cli('GET', 'sess:untouched'), before);
});

test('accepts a Passport session, which has a user id but no flag', async () => {
  const passport = await startSluice(file, redis.url, {
    session: { authenticated: '', user: 'passport.user' },
    channels: [{ match: 'user:{passport.user}', allow: 'session', auto: true }] });
  await putSession(redis, 'passport', '{"cookie":{},"passport":{"user":42}}');
  const browser = await passport.open({ cookie: cookieFor('passport') });
  await redis.cli('PUBLISH', 'user:42', 'for 42');
  assert.equal(await browser.next(), 'for 42');
});

describe('sends', () => {
  const CROWD = 50;

  /* Opens all while Redis is paused, so that the look-ups overlap. */
  async function openTogether(cookies) {
    await redis.cli('CONFIG', 'RESETSTAT');
    await redis.cli('CLIENT', 'PAUSE', '400', 'ALL');
    const browsers = await Promise.all(cookies.map(cookie => sluice.open({ cookie })));
    for (const browser of browsers) browser.terminate();
    return reads(redis);
  }

  test('one GET a worker for identical look-ups under way', async () => {
    const cookie = await logIn(redis);
    const asked = await openTogether(Array(CROWD).fill(cookie));
    assert.ok(asked >= 1 && asked <= 4, `${asked} GETs for ${CROWD} upgrades`);
  });

  test('a GET for each different look-up', async () => {
    const cookies = await Promise.all(Array.from({ length: CROWD }, () => logIn(redis)));
    assert.equal(await openTogether(cookies), CROWD);
  });

  test('a GET for the next upgrade, as replies are not cached', async () => {
    const cookie = await logIn(redis, {}, { id: 'asked-again' });
    assert.equal(await statusWith(sluice, cookie), 101);
    await redis.cli('DEL', 'sess:asked-again');
    assert.equal(await statusWith(sluice, cookie), 401);
  });
});
