/* What must hold with every preset: only a user who is logged in is accepted. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { file } from './ending.js';
import { startRedis } from './redis.js';
import { Visitor } from './site.js';
import { startSluice } from './sluice.js';

const AT_ONCE = 16;

/* A gateway with just these settings for sessions. Its one channel is the user's own; `user` is what a
 * channel rule calls the user's id. */
export function startWithSession(t, redis, session, user = 'user') {
  return startSluice(t, redis.url, {
    session: { secrets: undefined, ...session },
    channels: [{ match: `user:{${user}}`, allow: 'session', auto: true }] });
}

export async function assertLetIn(sluice, redis, cookie, id) {
  const browser = await sluice.open({ cookie });
  await redis.cli('PUBLISH', `user:${id}`, `for ${id}`);
  assert.equal(await browser.next(), `for ${id}`);
  return browser;
}

export async function assertRefused(sluice, cookie, what = '') {
  await assert.rejects(sluice.open({ cookie }), { status: 401 }, what);
}

/* With any one byte of the Cookie header changed, the gateway refuses it; unchanged, it accepts it. */
export async function assertEachByteMatters(sluice, cookie) {
  const forged = [...cookie].map((byte, i) =>
    `${cookie.slice(0, i)}${byte === 'A' ? 'B' : 'A'}${cookie.slice(i + 1)}`);
  while (forged.length > 0)
    await Promise.all(forged.splice(0, AT_ONCE).map(one => assertRefused(sluice, one, one)));
  (await sluice.open({ cookie })).terminate();
}

/* The id of the user that the site sees in a Cookie header, or ''. */
async function askSite(origin, cookie) {
  const answer = await fetch(`${origin}/user`, { method: 'POST', headers: { Origin: origin, Cookie: cookie } });
  assert.equal(answer.ok, true);
  return answer.text();
}

async function logInByName(visitor, name) {
  await visitor.post(`/login?user=${name}`);
  return name;
}

/* Declares the tests of a framework.
 *     session   the gateway's settings: the preset, and the site's secret
 *     start     start(redis) gives the origin of the site
 *     user      what a channel rule calls the user's id; default: user
 *     whoIs     whoIs(origin, cookie) asks the site for the user of a Cookie header: the id, or ''
 *     logIn     logIn(visitor, name) logs a visitor in, and returns the user's id
 *     logOut    logOut(visitor) logs the visitor out */
export function testSite({
  session, start, user, whoIs = askSite, logIn = logInByName, logOut = visitor => visitor.post('/logout'),
}) {
  let redis, sluice, origin;
  before(async () => {
    redis = await startRedis(file);
    [origin, sluice] = await Promise.all([start(redis), startWithSession(file, redis, session, user)]);
  });

  test('a user who is logged in is accepted, and receives what is published to their channel', async () => {
    const visitor = new Visitor(origin);
    const id = await logIn(visitor, '42');
    (await assertLetIn(sluice, redis, visitor.cookie, id)).terminate();
  });

  test('the old cookie is refused after a log-out', async () => {
    const visitor = new Visitor(origin);
    await logIn(visitor, '43');
    const { cookie } = visitor;
    (await sluice.open({ cookie })).terminate();
    await logOut(visitor);
    await assertRefused(sluice, cookie);
    await assertRefused(sluice, visitor.cookie);
  });

  test('a log-out closes the connection with 4401', async () => {
    const visitor = new Visitor(origin);
    await logIn(visitor, '45');
    const browser = await sluice.open({ cookie: visitor.cookie });
    await logOut(visitor);
    assert.equal((await browser.closed()).code, 4401);
  });

  test('a cookie with any byte changed is refused', async () => {
    const visitor = new Visitor(origin);
    await logIn(visitor, '44');
    await assertEachByteMatters(sluice, visitor.cookie);
  });

  test('of two cookies of one name, the one counts that counts for the site', async () => {
    const [ada, ben] = [new Visitor(origin), new Visitor(origin)];
    const ids = [await logIn(ada, '47'), await logIn(ben, '48')];
    const junk = ada.cookie.replace(/=[^;]*/g, '=0123456789abcdef0123456789abcdef');
    const seen = [];
    for (const cookies of [[ada.cookie, ben.cookie], [ben.cookie, ada.cookie], [ada.cookie, junk], [junk, ada.cookie]]) {
      const cookie = cookies.join('; ');
      const id = await whoIs(origin, cookie);
      if (id === '') await assertRefused(sluice, cookie);
      else (await assertLetIn(sluice, redis, cookie, id)).terminate();
      seen.push(id);
    }
    const [first, last] = ids;
    assert.ok([[first, last, first, ''], [last, first, '', first]].some(one => `${one}` === `${seen}`), `${seen}`);
  });

  return {
    logIn,
    get redis() { return redis; },
    get sluice() { return sluice; },
    get origin() { return origin; },
  };
}

/* For frameworks where a page view writes the session, and makes one before any log-in. */
export function testVisitor(site) {
  test('a page view while connected does not disconnect', async () => {
    const visitor = new Visitor(site.origin);
    const id = await site.logIn(visitor, '46');
    const browser = await assertLetIn(site.sluice, site.redis, visitor.cookie, id);
    await visitor.post('/visit');
    await site.redis.cli('PUBLISH', `user:${id}`, 'another page');
    assert.equal(await browser.next(), 'another page');
    assert.ok(browser.isOpen);
    browser.terminate();
  });

  test('a session without a log-in is refused', async () => {
    const visitor = new Visitor(site.origin);
    await visitor.post('/visit');
    assert.notEqual(visitor.cookie, '');
    await assertRefused(site.sluice, visitor.cookie);
  });
}
