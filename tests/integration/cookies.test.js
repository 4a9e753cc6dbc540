/* The session cookie: accepts every form that the Node stack accepts, and rejects all others. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { handshake } from '../support/raw_client.js';
import { COOKIE, cookieFor, putSession } from '../support/sessions.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';

const SESSION = JSON.stringify({ cookie: COOKIE, authenticated: true, userId: 'u1' });

/* Test vectors, made with express-session 1.19 and checked with openssl. */
const ENCODED = 's%3Avec-7.6obqJ8aF02jkGuou%2FMTukE5n3c9uCsUPxP0%2FRyevC2A';
const PLAIN = decodeURIComponent(ENCODED);

let redis;
before(async () => {
  redis = await startRedis(file);
});

async function gateway(session = {}) {
  return startSluice(file, redis.url, { session });
}

/* The status of an upgrade with these Cookie headers. */
async function statusWith(sluice, cookie) {
  const client = await sluice.connect();
  client.write(handshake({ headers: { Cookie: cookie } }));
  const { status } = await client.answer();
  client.destroy();
  return status;
}

describe('with the secret "keyboard cat"', () => {
  let sluice;
  before(async () => {
    sluice = await gateway();
    await putSession(redis, 'vec-7', SESSION);
  });

  const accepted = {
    'percent-encoded': `connect.sid=${ENCODED}`,
    'not encoded': `connect.sid=${PLAIN}`,
    'in double quotes': `connect.sid="${ENCODED}"`,
    'before a bad one of the same name': `connect.sid=${ENCODED}; connect.sid=bad`,
    'between others, without spaces': `a=1;connect.sid=${ENCODED};b=2`,
    'with spaces around name and value': `a=1 ;  connect.sid = ${ENCODED} ; b=2`,
    'in a second Cookie header': ['a=1', `connect.sid=${ENCODED}`],
    'beside a pair without "="': `flag; connect.sid=${ENCODED}`,
  };
  for (const [what, cookie] of Object.entries(accepted))
    test(`a cookie ${what} is accepted`, async () => {
      assert.equal(await statusWith(sluice, cookie), 101);
    });

  const refused = {
    'after a bad one of the same name': `connect.sid=bad; connect.sid=${ENCODED}`,
    'with one more character': `connect.sid=${ENCODED}x`,
    'with one character less': `connect.sid=${ENCODED.slice(0, -1)}`,
    'with base64 padding': `connect.sid=${ENCODED}%3D`,
    'with another session id': `connect.sid=${ENCODED.replace('vec-7', 'vec-8')}`,
    'with a name in upper case': `CONNECT.SID=${ENCODED}`,
    'without "s:"': `connect.sid=${ENCODED.slice('s%3A'.length)}`,
    'without a signature': 'connect.sid=s%3Avec-7',
    'with an empty signature': 'connect.sid=s%3Avec-7.',
    'that is only the session id': 'connect.sid=vec-7',
    'with a lone % at the end': `connect.sid=${ENCODED}%`,
    'that is empty': 'connect.sid=',
    'after one that cannot be decoded': `connect.sid=%E0%A4%A; connect.sid=${ENCODED}`,
  };
  for (const [what, cookie] of Object.entries(refused))
    test(`a cookie ${what} is refused`, async () => {
      assert.equal(await statusWith(sluice, cookie), 401);
    });

  const vectors = {
    'GOLDENsid-0123456789_abcdefGHIJKL': 'y1qEgvwvjfhHJ%2BJCFUFe36nMQ329NR1BFoqpm8xzV4s',
    'BWmObiKxobiyg_rx4UPJ_HLX5mKLBwSz': 'tQLhHLBnkTmyKtDzh4YkEvXXWr57q4NWGI9fVc2glig',
  };
  for (const [id, signature] of Object.entries(vectors))
    test(`the cookie of test vector ${id} is accepted`, async () => {
      await putSession(redis, id, SESSION);
      assert.equal(await statusWith(sluice, `connect.sid=s%3A${id}.${signature}`), 101);
    });
});

describe('with other secrets', () => {
  const old = 'connect.sid=s%3AROTsid.hm9%2BzF5cJ76biQUvHUzj%2F9juh8iSyIVah4cq8%2Fjo69I';
  const fresh = 'connect.sid=s%3AROTsid.bKMWGoG7ETdpMXHmPznN98T%2Bkewnq4PvU1GsKr6Em4U';

  before(() => putSession(redis, 'ROTsid', SESSION));

  test('while secrets rotate, cookies of the new and the old one are accepted', async () => {
    const sluice = await gateway({ secrets: ['new-secret', 'old-secret'] });
    assert.equal(await statusWith(sluice, old), 101);
    assert.equal(await statusWith(sluice, fresh), 101);
  });

  test('once the old secret is gone, its cookies are refused', async () => {
    const sluice = await gateway({ secrets: ['new-secret'] });
    assert.equal(await statusWith(sluice, old), 401);
    assert.equal(await statusWith(sluice, fresh), 101);
  });

  test('accepts a secret longer than the hash block, and a cookie of another name', async () => {
    const secret = 'x'.repeat(100);
    const sluice = await gateway({ secrets: [secret], cookie: '__Host-sid' });
    await putSession(redis, 'longkey', SESSION);
    const value = 's%3Alongkey.mzdVbu4qTjV3XINizqRy1OuS%2B52IwxGedDJEjNlDAcU';
    assert.equal(await statusWith(sluice, `__Host-sid=${value}`), 101);
    assert.equal(await statusWith(sluice, `connect.sid=${value}`), 401);
  });

  test('accepts a secret in UTF-8, and a session id with dots', async () => {
    const secret = 'sécret🔑';
    const sluice = await gateway({ secrets: [secret], cookie: '__Host-sid' });
    await putSession(redis, 'a.b.c', SESSION);
    const golden = '__Host-sid=s%3Aa.b.c.5DNV0cYvVEZfw9uk%2FcmVD8ALbJHg2rBqtFjPnDi9HMo';
    assert.equal(cookieFor('a.b.c', { secret, name: '__Host-sid' }), golden);
    assert.equal(await statusWith(sluice, golden), 101);
  });

  test('accepts cookies without a signature if configured', async () => {
    const sluice = await gateway({ signature: 'none', cookie: 'sid', secrets: [] });
    assert.equal(await statusWith(sluice, 'sid=ROTsid'), 101);
    assert.equal(await statusWith(sluice, 'sid=nobody'), 401);
    assert.equal(await statusWith(sluice, 'sid=a%20b'), 401);
  });

  test('accepts another template for the keys in Redis', async () => {
    const sluice = await gateway({ key: 'app:session:{sid}' });
    await redis.cli('SET', 'app:session:elsewhere', SESSION);
    assert.equal(await statusWith(sluice, cookieFor('elsewhere')), 101);
    assert.equal(await statusWith(sluice, cookieFor('ROTsid')), 401);
  });
});

describe('an id', () => {
  const IDS = ['app:1:x', 'a,b', 'ada@example.com', 'auth0|7!$'];

  test('of any characters that frameworks use is accepted if it is signed', async () => {
    const sluice = await gateway();
    for (const id of IDS) {
      await putSession(redis, id, SESSION);
      assert.equal(await statusWith(sluice, cookieFor(id)), 101, id);
    }
  });

  test('that a stranger chooses names no key with another part', async () => {
    const sluice = await gateway({ signature: 'none', cookie: 'sid', cookie_encoding: 'none', secrets: [] });
    await redis.cli('SET', 'sess:user:7', SESSION);
    for (const id of IDS) await putSession(redis, id, SESSION);
    assert.equal(await statusWith(sluice, 'sid=a,b'), 101);
    assert.equal(await statusWith(sluice, 'sid=ada@example.com'), 101);
    for (const id of ['user:7', 'app:1:x']) assert.equal(await statusWith(sluice, `sid=${id}`), 401, id);
  });

  test('with a colon never makes the second key of another session', async () => {
    const sluice = await gateway({ must_exist: 'sess:live:{sid}' });
    for (const key of ['sess:1', 'sess:live:1', 'sess:live:live:1']) await redis.cli('SET', key, SESSION);
    assert.equal(await statusWith(sluice, cookieFor('1')), 101);
    assert.equal(await statusWith(sluice, cookieFor('live:1')), 401);
  });

  test('with a colon is no key by itself, if the signature is not over the name of the cookie', async () => {
    const sluice = await gateway({ key: '{sid}' });
    for (const key of ['whole', 'other:1']) await redis.cli('SET', key, SESSION);
    assert.equal(await statusWith(sluice, cookieFor('whole')), 101);
    assert.equal(await statusWith(sluice, cookieFor('other:1')), 401);
  });
});
