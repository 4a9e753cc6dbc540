/* A recorded session of each preset. Sluice's configuration has only the preset, the secrets, and the channels. */
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { springCookie, springRecords, springSession, withoutUser } from '../support/frameworks/spring.js';
import { assertEachByteMatters, assertLetIn, assertRefused, startWithSession } from '../support/presets.js';
import { startRedis } from '../support/redis.js';

const EXPRESS = { cookie: { originalMaxAge: null, expires: null, httpOnly: true, path: '/' } };
const FASTIFY = {
  originalMaxAge: 3600000, sameSite: null, secure: false, path: '/', httpOnly: true, domain: null };
const LOGGED_IN = { authenticated: true, userId: '42' };
const LARAVEL_USER = 'login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d';
const SOON = '2099-01-01T00:00:00.000Z';
const PAST = '2001-01-01T00:00:00.000Z';
const UUID = '5d055498-4afd-4f37-a242-5c158528e90e';

const json = JSON.stringify;
const hex = text => Buffer.from(text, 'hex');
const serializedText = text => `s:${Buffer.byteLength(text)}:"${text}";`;

/* Made by Laravel's own encrypter. */
const LARAVEL_COOKIE = encodeURIComponent(Buffer.from(json({
  iv: 'D5v/QUI5lW7G7Oh4t5Nb/A==',
  value: 'Sw+QKQY81PuvaVyWfFksfqGuJ/0//MNA6JWWjagEAZIMsAX76VY1g6+QsNa4wjNkU0/JEA284N/ZiUFM5vZtF9qheL0nGjFxkzWyWOvgIDkWsv3yLVwtjcAPp11o+2Yp',
  mac: 'b11c25e624b6ada500a8459c638a7227a4ca6b26b9951fb09c39adba5f45b5e7',
  tag: '',
})).toString('base64'));

/* session   Sluice's configuration
 * cookie    the Cookie header
 * key       of the record in Redis
 * user      what channel rules call the user's id; default: user
 * good      records of the user 42, each the value of the key; without `key`: all keys, by name
 * bad       records without a log-in */
const GOLDEN = {
  express: {
    session: { preset: 'express', secrets: ['keyboard cat'] },
    cookie: 'connect.sid=s%3Avec-7.6obqJ8aF02jkGuou%2FMTukE5n3c9uCsUPxP0%2FRyevC2A',
    key: 'sess:vec-7',
    good: {
      'as express-session writes it': json({ ...EXPRESS, ...LOGGED_IN }),
      'without "cookie", as another program may write it': json(LOGGED_IN),
    },
    bad: { 'of a visitor': json({ ...EXPRESS, cart: [] }) },
  },
  passport: {
    session: { preset: 'passport', secrets: ['keyboard cat'] },
    cookie: 'connect.sid=s%3Avec-7.6obqJ8aF02jkGuou%2FMTukE5n3c9uCsUPxP0%2FRyevC2A',
    key: 'sess:vec-7',
    good: {
      'with a string as id': json({ ...EXPRESS, passport: { user: '42' } }),
      'with a number as id': json({ ...EXPRESS, passport: { user: 42 } }),
    },
    bad: {
      'of a visitor': json(EXPRESS),
      'after a log-out in an old version': json({ ...EXPRESS, passport: {} }),
      'with no user': json({ ...EXPRESS, passport: { user: null } }),
      'with a flag, which Passport does not write': json({ ...EXPRESS, ...LOGGED_IN }),
    },
  },
  fastify: {
    session: { preset: 'fastify', secrets: ['0123456789abcdef0123456789abcdef'] },
    cookie: 'sessionId=fastifysid0123456789./lyevLZuWyS/Vu6z8vqvRVylTl51qwNIK+jJ0UzVc0c',
    key: 'sess:fastifysid0123456789',
    good: {
      'with an expiry in the future': json({ cookie: { ...FASTIFY, expires: SOON }, ...LOGGED_IN }),
      'without an expiry': json({
        cookie: { ...FASTIFY, originalMaxAge: null, expires: null }, ...LOGGED_IN }),
    },
    bad: {
      'of a visitor': json({ cookie: { ...FASTIFY, expires: SOON } }),
      'that has expired': json({ cookie: { ...FASTIFY, expires: PAST }, ...LOGGED_IN }),
    },
  },
  'fastify, percent-encoded': {
    session: { preset: 'fastify', secrets: ['0123456789abcdef0123456789abcdef'] },
    cookie: `sessionId=${encodeURIComponent('fastifysid0123456789./lyevLZuWyS/Vu6z8vqvRVylTl51qwNIK+jJ0UzVc0c')}`,
    key: 'sess:fastifysid0123456789',
    good: { 'with an expiry in the future': json({ cookie: { ...FASTIFY, expires: SOON }, ...LOGGED_IN }) },
    bad: {},
  },
  koa: {
    session: { preset: 'koa', secrets: ['koa-key'] },
    cookie: 'koa.sess=koasid0123; koa.sess.sig=-9TbuenPEkI8zsjj7TexUI7RKhM',
    key: 'koasid0123',
    good: {
      'with an expiry in the future': json({ ...LOGGED_IN, _expire: Date.parse(SOON), _maxAge: 3600000 }),
      'without an expiry': json({ ...LOGGED_IN, _session: true }),
    },
    bad: {
      'of a visitor': json({ _expire: Date.parse(SOON), _maxAge: 3600000 }),
      'that has expired': json({ ...LOGGED_IN, _expire: Date.parse(PAST), _maxAge: 3600000 }),
    },
  },
  'koa-generic': {
    session: { preset: 'koa-generic', secrets: ['koa-key'] },
    cookie: 'koa.sid=koagsid01234567890123456789012345; koa.sid.sig=GfYNmXACFI9utUMe972Uxc2L7C4',
    key: 'koa:sess:koagsid01234567890123456789012345',
    good: { 'as koa-redis writes it': json({ ...EXPRESS, ...LOGGED_IN }) },
    bad: { 'of a visitor': json(EXPRESS) },
  },
  'better-auth': {
    session: { preset: 'better-auth', secrets: ['0123456789abcdef0123456789abcdef'] },
    cookie: 'better-auth.session_token=PFlxl28eKGhgWRo0OkngdCn6ebBExKAU.VUbPnof5OR2ABtPwwufRAM8PmsH%2FD5Dh3JN9LY58W%2FY%3D',
    key: 'PFlxl28eKGhgWRo0OkngdCn6ebBExKAU',
    good: {
      'as better-auth writes it': json({
        session: { id: 'x', expiresAt: SOON, userId: '42' }, user: { name: 'ada', id: '42' } }) },
    bad: {
      'that has expired': json({
        session: { id: 'x', expiresAt: PAST, userId: '42' }, user: { name: 'ada', id: '42' } }),
      'without a user': json({ session: { id: 'x', expiresAt: SOON }, user: null }),
    },
  },
  'better-auth, on https': {
    session: { preset: 'better-auth', secrets: ['0123456789abcdef0123456789abcdef'] },
    cookie: '__Secure-better-auth.session_token=PFlxl28eKGhgWRo0OkngdCn6ebBExKAU.VUbPnof5OR2ABtPwwufRAM8PmsH%2FD5Dh3JN9LY58W%2FY%3D',
    key: 'PFlxl28eKGhgWRo0OkngdCn6ebBExKAU',
    good: { 'as better-auth writes it': json({ session: { expiresAt: SOON, userId: '42' }, user: { id: '42' } }) },
    bad: {},
  },
  'django-json': {
    session: { preset: 'django-json' },
    cookie: 'sessionid=57nu30yrs6gk5oc2dbvc4ubdn2mscx2p',
    key: ':1:django.contrib.sessions.cache57nu30yrs6gk5oc2dbvc4ubdn2mscx2p',
    good: {
      'as django-redis writes it':
        '{"_auth_user_id": "42", "_auth_user_backend": "django.contrib.auth.backends.ModelBackend", "_auth_user_hash": "4b6c"}',
    },
    bad: { 'of a visitor': '{"cart": ["a book"]}', 'pickled': hex('80059518000000000000007d948c0d5f617574685f757365725f6964948c023432') },
  },
  flask: {
    session: { preset: 'flask' },
    cookie: 'session=3n51nwmtZ-U6B1u5BvdVlUe0q-zzvR6AXSfz6VVYzmY',
    key: 'session:3n51nwmtZ-U6B1u5BvdVlUe0q-zzvR6AXSfz6VVYzmY',
    good: {
      'in MessagePack': hex('83aa5f7065726d616e656e74c3ad61757468656e74696361746564c3a6757365724964a23432'),
      'in JSON': json({ _permanent: true, ...LOGGED_IN }),
    },
    bad: {
      'of a visitor': hex('82aa5f7065726d616e656e74c3a46361727491a66120626f6f6b'),
      'of a visitor, in JSON': json({ _permanent: true }),
      'with false in MessagePack':
        hex('83aa5f7065726d616e656e74c3ad61757468656e74696361746564c2a6757365724964a23432'),
      'truncated': hex('83aa5f7065726d616e656e74c3ad61757468656e74696361746564c3a6757365724964a234'),
    },
  },
  'flask, signed': {
    session: { preset: 'flask', signature: 'itsdangerous', secrets: ['flask-secret'] },
    cookie: 'session=6f1c2c1e-0000-4000-8000-000000000001.VMycad5VnaB6TE_3W9UcSal7sTk',
    key: 'session:6f1c2c1e-0000-4000-8000-000000000001',
    good: { 'in JSON': json({ _permanent: true, ...LOGGED_IN }) },
    bad: {},
  },
  starsessions: {
    session: { preset: 'starsessions' },
    cookie: 'session=854180055123e7d1d394c5328c6f71b6',
    key: 'starsessions.854180055123e7d1d394c5328c6f71b6',
    good: {
      'as starsessions writes it':
        '{"authenticated": true, "userId": "42", "__metadata__": {"lifetime": 3600, "created": 1795403437.95, "last_access": 1795403437.99}}',
    },
    bad: { 'of a visitor': '{"cart": ["a book"], "__metadata__": {"lifetime": 3600}}' },
  },
  'rails-json': {
    session: { preset: 'rails-json' },
    cookie: '_session_id=0123456789abcdef0123456789abcdef',
    key: '2::3eb1bd439947eb762998e566ccc2e099c791118b2f40579cc4f7da2b5061b7f9',
    good: { 'as redis-session-store writes it': json(LOGGED_IN) },
    bad: { 'of a visitor': '{}', 'in Marshal format': Buffer.from('\x04\b{\x06I"\x12authenticated\x06:\x06ETT', 'latin1') },
  },
  spring: {
    session: { preset: 'spring' },
    cookie: springCookie(UUID),
    user: 'sessionAttr:userId',
    good: { 'of the repository with indexes': springRecords(UUID, springSession({ userId: '42' })) },
    bad: {
      'of a visitor': springRecords(UUID, springSession({ userId: '42', context: null })),
      'after a log-out that keeps the session': springRecords(UUID, withoutUser(springSession({ userId: '42' }))),
      'that has ended, with keys left over':
        springRecords(UUID, springSession({ userId: '42', seconds: 0 }), { indexed: false }),
      'with only the second key': springRecords(UUID, {}),
    },
  },
  php: {
    session: { preset: 'php' },
    cookie: 'PHPSESSID=5g63a7t35aum829e9qh7fd2hoc',
    key: 'PHPREDIS_SESSION:5g63a7t35aum829e9qh7fd2hoc',
    good: {
      'of the handler php': 'cart|a:1:{i:0;s:6:"a book";}authenticated|b:1;userId|s:2:"42";',
      'of the handler php_serialize':
        'a:3:{s:4:"cart";a:1:{i:0;s:6:"a book";}s:13:"authenticated";b:1;s:6:"userId";s:2:"42";}',
      'with a number as id': 'authenticated|b:1;userId|i:42;',
      'that contains an object': 'authenticated|b:1;cart|O:4:"Cart":1:{s:5:"items";a:0:{}}userId|s:2:"42";',
    },
    bad: {
      'of a visitor': 'cart|a:1:{i:0;s:6:"a book";}',
      'with a number for true': 'authenticated|i:1;userId|s:2:"42";',
      'with false': 'authenticated|b:0;userId|s:2:"42";',
      'with the log-in inside a string': 'cart|s:34:"authenticated|b:1;userId|s:2:\\"42\\";";',
    },
  },
  laravel: {
    session: {
      preset: 'laravel',
      secrets: ['base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY='],
    },
    cookie: `laravel_session=${LARAVEL_COOKIE}`,
    key: 'laravel_database_laravel_cache_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789abcd',
    good: {
      'as Laravel writes it': serializedText(`a:2:{s:6:"_token";s:2:"ab";s:50:"${LARAVEL_USER}";i:42;}`),
      'with a string as id': serializedText(`a:2:{s:6:"_token";s:2:"ab";s:50:"${LARAVEL_USER}";s:2:"42";}`),
      'in JSON, by session.serialization': serializedText(json({ _token: 'ab', [LARAVEL_USER]: 42 })),
    },
    bad: {
      'of a visitor': serializedText('a:1:{s:6:"_token";s:2:"ab";}'),
      'of a visitor, in JSON': serializedText(json({ _token: 'ab' })),
    },
  },
};

/* Replaces the whole database by these keys: strings, bytes, or the fields of a hash. */
async function put(client, records) {
  await client.flushAll();
  for (const [key, value] of Object.entries(records)) {
    if (typeof value === 'string' || Buffer.isBuffer(value)) await client.set(key, value);
    else if (Object.keys(value).length > 0) await client.hSet(key, value);
  }
}

for (const [preset, { session, cookie, key, user, good, bad }] of Object.entries(GOLDEN))
  describe(preset, () => {
    const recordsOf = value => (key ? { [key]: value } : value);
    let redis, client, sluice;
    before(async () => {
      redis = await startRedis(file);
      client = await redis.client();
      sluice = await startWithSession(file, redis, session, user);
    });

    for (const [what, value] of Object.entries(good))
      test(`accepts a session ${what}`, async () => {
        await put(client, recordsOf(value));
        (await assertLetIn(sluice, redis, cookie, '42')).terminate();
      });

    for (const [what, value] of Object.entries(bad))
      test(`rejects a session ${what}`, async () => {
        await put(client, recordsOf(value));
        await assertRefused(sluice, cookie);
      });

    test('rejects the cookie if any byte is changed', async () => {
      await put(client, recordsOf(Object.values(good)[0]));
      await assertEachByteMatters(sluice, cookie);
    });

    test('rejects a session that does not exist', async () => {
      await client.flushAll();
      await assertRefused(sluice, cookie);
    });
  });
