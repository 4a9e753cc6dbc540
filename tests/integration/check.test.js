/* GET /ws/check: tells a page the status that an upgrade would get, which the page itself cannot see. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { launchChromium } from '../support/chromium.js';
import { atEnd, file } from '../support/ending.js';
import { handshake } from '../support/raw_client.js';
import { cookieFor, logIn, putSession } from '../support/sessions.js';
import { servePage } from '../support/site.js';
import { startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';

const APP = 'https://app.example.com';
const { redis, sluice, cookie } = await stand(file, {
  origins: ['same-host', 'none', APP], limits: { channels: 4 } });

const PLAIN = { Connection: null, Upgrade: null, 'Sec-WebSocket-Key': null, 'Sec-WebSocket-Version': null };

/* The response to a request that is not a handshake. */
function ask(gateway, { method = 'GET', target = '/ws/check', headers = {} } = {}) {
  return gateway.answerTo(handshake({ method, target, headers: { ...PLAIN, Cookie: cookie, ...headers } }));
}
const check = options => ask(sluice, options);

test('204 for a client that would be accepted: complete, without content, not cacheable', async () => {
  for (const method of ['GET', 'HEAD']) {
    const { status, headers, body } = await check({ method });
    assert.equal(status, 204);
    assert.equal(body, '');
    assert.equal(headers['content-length'], undefined);
    assert.equal(headers.connection, 'close');
    assert.equal(headers['cache-control'], 'no-store');
    assert.equal(headers.vary, 'Origin');
    assert.equal(headers['access-control-allow-origin'], undefined);
  }
});

describe('gives the same refusal as the upgrade, word for word', () => {
  const cases = {
    'no cookie': { headers: { Cookie: null } },
    'a forged cookie': { headers: { Cookie: cookieFor('x', { secret: 'another' }) } },
    'a session that does not exist': { headers: { Cookie: cookieFor('gone') } },
    'a session that is not logged in': { headers: { Cookie: cookieFor('visitor') } },
    'another Origin': { headers: { Origin: 'https://evil.example.com' } },
    'the Origin null': { headers: { Origin: 'null' } },
    'two Origins': { headers: { Origin: [APP, APP] } },
    'no Host': { headers: { Host: null } },
    'a channel that is not allowed': { query: '?channel=secret' },
    'one channel of two that is not allowed': { query: '?channel=public%3Aa&channel=user%3Au2' },
    'a channel with a bad name': { query: '?channel=public%3A%00' },
    'more channels than limits.channels': { query: '?channel=public%3A1&channel=public%3A2&channel=public%3A3' },
    'as many channels as limits.channels': { query: '?channel=public%3A1&channel=public%3A2' },
    'duplicate channels': { query: '?channel=public%3A1&channel=news&channel=public%3A1' },
    'a plus for a space': { query: '?channel=public%3Aa+b' },
    'an allowed Origin': { headers: { Origin: APP } },
  };
  for (const [what, { query = '', headers }] of Object.entries(cases))
    test(what, async () => {
      await putSession(redis, 'visitor', '{"cookie":{},"authenticated":false,"userId":"u1"}');
      const checked = await check({ target: `/ws/check${query}`, headers });
      const client = await sluice.connect();
      client.write(handshake({ target: `/ws${query}`, headers: { Cookie: cookie, ...headers } }));
      const answer = await client.answer();
      client.destroy();
      assert.equal(checked.status, answer.status === 101 ? 204 : answer.status);
      if (answer.status !== 101) assert.equal(checked.body, answer.body);
    });
});

describe('CORS', () => {
  for (const [status, who] of [[204, cookie], [401, null]])
    test(`a page of an allowed origin may read the ${status}`, async () => {
      const { status: got, headers } = await check({ headers: { Origin: APP, Cookie: who } });
      assert.equal(got, status);
      assert.equal(headers['access-control-allow-origin'], APP);
      assert.equal(headers['access-control-allow-credentials'], 'true');
      assert.match(headers['access-control-expose-headers'], /Retry-After/);
      assert.equal(headers.vary, 'Origin');
    });

  for (const origin of ['https://evil.example.com', 'null', `${APP}.evil.test`])
    test(`a page of ${origin} may not read it`, async () => {
      for (const method of ['GET', 'OPTIONS']) {
        const { status, headers } = await check({ method, headers: { Origin: origin } });
        assert.equal(status, 403);
        assert.deepEqual(Object.keys(headers).filter(name => name.startsWith('access-control')), []);
      }
    });

  test('a preflight is answered without a session', async () => {
    const { status, headers } = await check({ method: 'OPTIONS', headers: {
      Origin: APP, Cookie: null, 'Access-Control-Request-Method': 'GET' } });
    assert.equal(status, 204);
    assert.equal(headers['access-control-allow-origin'], APP);
    assert.equal(headers['access-control-allow-credentials'], 'true');
    assert.equal(headers['access-control-allow-methods'], 'GET, HEAD');
  });

  test('the refusal of another method is readable', async () => {
    const { status, headers } = await check({ method: 'POST', headers: { Origin: APP } });
    assert.equal(status, 405);
    assert.equal(headers['access-control-allow-origin'], APP);
  });
});

describe('a request without an Origin', () => {
  /* For each value of `origins`, the status by Sec-Fetch-Site. The Host is gateway.test. */
  const table = [
    [['none'], { none: 204, absent: 204, 'same-origin': 403, 'same-site': 403, 'cross-site': 403 }],
    [['same-host'], { none: 403, absent: 403, 'same-origin': 204, 'same-site': 403, 'cross-site': 403 }],
    [['https://gateway.test'], { absent: 403, 'same-origin': 204, 'cross-site': 403 }],
    [[APP], { none: 403, absent: 403, 'same-origin': 403, 'same-site': 403, 'cross-site': 403 }],
    [['*'], { none: 204, absent: 204, 'same-origin': 204, 'same-site': 204, 'cross-site': 204, other: 204 }],
    [['same-host', 'none'], { other: 403 }],
  ];
  for (const [origins, sites] of table)
    test(`with origins ${origins}`, async t => {
      const other = await startSluice(t, redis.url, { workers: 1, origins });
      for (const [site, status] of Object.entries(sites)) {
        const header = site === 'absent' ? {} : { 'Sec-Fetch-Site': site };
        const answer = await ask(other, { headers: header });
        assert.equal(answer.status, status, site);
        assert.equal(answer.headers['access-control-allow-origin'], undefined);
      }
    });
});

describe('a check', () => {
  test('reports a full gateway, and does not count as a connection', async t => {
    const limits = { connections: 1, connections_per_ip: 1, connections_per_user: 1 };
    const other = await startSluice(t, redis.url, { limits });
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(other)));
    assert.deepEqual([...new Set(answers.map(one => one.status))], [204]);
    const browser = await other.open({ cookie });
    const refused = await ask(other);
    assert.ok([429, 503].includes(refused.status), `${refused.status}`);
    assert.equal(refused.headers['retry-after'], '1');
    browser.terminate();
  });

  test('reports limits.connections_per_user', async t => {
    const other = await startSluice(t, redis.url, { limits: { connections_per_user: 1 } });
    const browser = await other.open({ cookie });
    assert.equal((await ask(other)).status, 429);
    assert.equal((await ask(other, { headers: { Cookie: await logIn(redis, { userId: 'u9' }) } })).status, 204);
    browser.terminate();
  });

  test('counts for limits.upgrades_per_second, as it costs Redis the same', async t => {
    const other = await startSluice(t, redis.url, { limits: { upgrades_per_second: 5 } });
    const answers = await Promise.all(Array.from({ length: 30 }, () => ask(other)));
    assert.ok(answers.some(one => one.status === 429));
  });

  test('subscribes to no channel, and counts as no connection and no refusal', async t => {
    const other = await startSluice(t, redis.url, { workers: 1 });
    assert.equal((await ask(other, { target: '/ws/check?channel=public%3Anobody' })).status, 204);
    assert.equal((await ask(other, { headers: { Cookie: null } })).status, 401);
    assert.equal(await redis.subscribers('public:nobody'), 0);
    assert.equal(await other.metric('sluice_connections_total'), 0);
    assert.equal(await other.metric('sluice_upgrades_refused_total{status="401"}'), 0);
  });
});

for (const [path, target, another] of [['/', '/check', '//check'], ['/a/', '/a/check', '/a//check'],
  ['/a/b', '/a/b/check', '/a/check']])
  test(`the check is at ${target} for the endpoint ${path}`, async t => {
    const other = await startSluice(t, redis.url, { path, workers: 1 });
    assert.equal((await ask(other, { target })).status, 204);
    assert.equal((await ask(other, { target: another })).status, 404);
    assert.equal((await ask(other, { target: `${target}/` })).status, 404);
  });

test('503 while Redis is down or hangs, and while the gateway drains', async t => {
  const own = await stand(t, { drain: { seconds: 30 }, origins: ['same-host', 'none', APP] });
  const askOwn = () => ask(own.sluice, { headers: { Cookie: own.cookie, Origin: APP } });
  const browser = await own.sluice.open(own);
  const other = await own.sluice.open(own);
  own.redis.pause();
  const late = await askOwn();
  own.redis.resume();
  await own.redis.kill();
  const away = await askOwn();
  await own.redis.start();
  await own.sluice.ready();
  await logIn(own.redis, {}, { id: 'again' });
  const waiting = await own.sluice.connect();
  waiting.write('GET /ws/check HTTP/1.1\r\nHost: gateway.test\r\n');
  own.sluice.program.signal('SIGTERM');
  const draining = await waiting.answer();
  for (const answer of [late, away]) {
    assert.equal(answer.status, 503);
    assert.equal(answer.headers['retry-after'], '1');
    assert.equal(answer.headers['access-control-allow-origin'], APP);
  }
  assert.equal(draining.status, 503);
  for (const one of [browser, other]) one.terminate();
});

describe('in Chromium', () => {
  let chrome;
  before(async () => {
    chrome = await launchChromium(file);
  });
  const openPage = async t => {
    const origin = await servePage(t);
    const context = await chrome.newContext();
    atEnd(t, () => context.close());
    const page = await context.newPage();
    await page.goto(origin);
    return { page, context, origin };
  };

  /* The status that the page sees, or the name of the error. */
  const fetched = (page, url) => page.evaluate(target => fetch(target, { credentials: 'include' })
    .then(answer => answer.status, error => error.name), url);
  const addCookie = (context, url) => {
    const [name, ...value] = cookie.split('=');
    return context.addCookies([{ name, value: value.join('='), url }]);
  };

  test('a page of an allowed origin reads the status, another page reads nothing', async t => {
    const { page, context, origin } = await openPage(t);
    const stranger = await openPage(t);
    const other = await startSluice(t, redis.url, { origins: ['none', origin] });
    const url = `http://127.0.0.1:${other.port}/ws/check`;
    assert.equal(await fetched(page, url), 401);
    for (const one of [context, stranger.context]) await addCookie(one, url);
    assert.equal(await fetched(page, url), 204);
    assert.equal(await fetched(page, `${url}?channel=secret`), 403);
    assert.equal(await fetched(stranger.page, url), 'TypeError');
    await other.kill();
    assert.equal(await fetched(page, url), 'TypeError');
  });

  test('an element in a page of another origin does not reveal a log-in', async t => {
    const { page, context } = await openPage(t);
    const url = `http://127.0.0.1:${sluice.port}/ws/check`;
    await addCookie(context, url);
    const events = await page.evaluate(async target => {
      const load = name => new Promise(resolve => {
        const element = document.createElement(name);
        element.onload = () => resolve(`${name} loaded`);
        element.onerror = () => resolve(`${name} failed`);
        element[name === 'link' ? 'href' : name === 'object' ? 'data' : 'src'] = target;
        if (name === 'link') element.rel = 'stylesheet';
        document.head.append(element);
      });
      return Promise.all(['script', 'img', 'link'].map(load));
    }, url);
    assert.deepEqual(events, ['script failed', 'img failed', 'link failed']);
    assert.equal((await fetched(page, url)), 'TypeError');
  });

  test('a page of the same host sends no Origin, and reads the status', async t => {
    const other = await startSluice(t, redis.url, { origins: ['same-host'] });
    const { page, context } = await openPage(t);
    const url = `http://127.0.0.1:${other.port}`;
    await page.goto(`${url}/sluice.js`);
    assert.equal(await fetched(page, '/ws/check'), 401);
    await addCookie(context, url);
    assert.equal(await fetched(page, '/ws/check'), 204);
  });
});
