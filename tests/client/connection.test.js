/* sluice.js in a simulated page: how it connects, waits, and reconnects or stops. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakePage, openedPage } from './fake_page.js';

/* The URL and the subprotocols of a Sluice with these arguments. */
async function target(t, ...args) {
  const page = new FakePage(t);
  page.sluice(...args);
  await page.settle();
  const { url, protocols } = page.socket;
  return [url, ...protocols];
}

describe('the address may be', () => {
  const cases = [
    ['a path', ['/ws'], 'wss://app.example.com/ws'],
    ['nothing', [], 'wss://app.example.com/ws'],
    ['a relative path', ['ws?channel=a'], 'wss://app.example.com/some/ws?channel=a'],
    ['an http address', ['http://127.0.0.1:8080/ws'], 'ws://127.0.0.1:8080/ws'],
    ['an https address', ['https://http.example.com/ws'], 'wss://http.example.com/ws'],
    ['a ws address', ['ws://127.0.0.1:8080/ws'], 'ws://127.0.0.1:8080/ws'],
    ['a URL', [new URL('https://gateway.example.com/ws')], 'wss://gateway.example.com/ws'],
    ['a function', [() => '/live'], 'wss://app.example.com/live'],
    ['an async function', [async () => new URL('wss://a.example.com/')], 'wss://a.example.com/'],
  ];
  for (const [what, args, url] of cases)
    test(what, async t => {
      assert.deepEqual(await target(t, ...args), [url, 'sluice.v1']);
    });

  test('a ticket goes into a subprotocol, not into the address', async t => {
    const expected = ['wss://app.example.com/ws', 'sluice.v1', 'ticket.abc'];
    assert.deepEqual(await target(t, '/ws', { ticket: async () => 'abc' }), expected);
    assert.deepEqual(await target(t, async () => ({ url: '/ws', ticket: 'abc' })), expected);
  });

  test('a function is called before each connection', async t => {
    const page = new FakePage(t);
    let n = 0;
    page.sluice('/ws', { ticket: () => `t${++n}` });
    await page.settle();
    page.socket.end();
    await page.pass(500);
    assert.deepEqual(page.sockets.map(({ protocols }) => protocols[1]), ['ticket.t1', 'ticket.t2']);
  });

  test('a ticket of null means no log-in: it stops', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice('/ws', { ticket: async () => null });
    await page.settle();
    assert.equal(sluice.state.name, 'closed');
    assert.equal(sluice.state.code, 4401);
    assert.equal(page.sockets.length + page.timers, 0);
  });

  test('a function that throws is called again later', async t => {
    const page = new FakePage(t);
    let n = 0;
    const sluice = page.sluice(async () => {
      if (++n === 1) throw new Error('no ticket today');
      return '/ws';
    });
    await page.settle();
    assert.equal(sluice.state.name, 'waiting');
    assert.equal(sluice.state.reason, 'no ticket today');
    await page.pass(500);
    assert.equal(page.sockets.length, 1);
  });

  test('a function that never returns times out', async t => {
    const page = new FakePage(t);
    let n = 0;
    page.sluice(() => (++n === 1 ? new Promise(() => {}) : '/ws'));
    await page.pass(10500);
    assert.equal(page.sockets.length, 1);
  });
});

describe('states', () => {
  test('from connecting to open', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    assert.equal(sluice.state.name, 'connecting');
    await page.settle();
    page.socket.open({ user: 'bert', connection: 'c7' });
    assert.deepEqual(sluice.state, { name: 'open', user: 'bert', connection: 'c7' });
  });

  test('"waiting" says until when, and why', async t => {
    const { page, sluice } = await openedPage(t);
    page.socket.end(1013, 'slow consumer');
    assert.deepEqual(sluice.state,
      { name: 'waiting', until: Date.now() + 250, code: 1013, reason: 'slow consumer' });
    await page.pass(249);
    assert.equal(sluice.state.name, 'waiting');
    await page.pass(1);
    assert.equal(sluice.state.name, 'connecting');
  });

  test('a socket that opens and sends nothing times out', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    await page.settle();
    page.socket.readyState = 1;
    await page.pass(10000);
    assert.ok(page.socket.isClosing);
    assert.equal(sluice.state.name, 'waiting');
    assert.equal(sluice.state.reason, 'no answer');
  });

  test('messages of an old socket are ignored', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    await page.pass(11000);
    assert.equal(page.sockets.length, 2);
    page.socket.open();
    sluice.takeHeard();
    page.sockets[0].say({ type: 'gap', channel: 'a' });
    page.sockets[0].end(4401);
    await page.settle();
    assert.deepEqual(sluice.heard, []);
    assert.equal(sluice.state.name, 'open');
  });
});

describe('after a loss', () => {
  /* The delays after `n` losses in a row. */
  async function waits(page, sluice, n) {
    const found = [];
    for (let i = 0; i < n; i++) {
      page.socket.end();
      await page.settle();
      found.push(Math.round(sluice.state.until - Date.now()));
      await page.pass(sluice.state.until - Date.now());
    }
    return found;
  }

  test('the longest delay doubles from 0.5 s to 30 s; the delay is a random part of it', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    await page.settle();
    page.chance = 1;
    assert.deepEqual(await waits(page, sluice, 9), [500, 1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000]);
    page.chance = 0.25;
    assert.deepEqual(await waits(page, sluice, 1), [7500]);
    page.chance = 1 / 30000;
    assert.deepEqual(await waits(page, sluice, 1), [1]);
  });

  test('the delay starts over only after a connection that lasted', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    await page.settle();
    page.chance = 1;
    await waits(page, sluice, 3);
    page.socket.open();
    await page.pass(9000);
    assert.deepEqual(await waits(page, sluice, 1), [4000]);
    page.socket.open();
    await page.pass(11000);
    assert.deepEqual(await waits(page, sluice, 2), [500, 1000]);
  });

  test('a gateway that drains sets the delay', async t => {
    const { page, sluice } = await openedPage(t);
    page.socket.end(1012, 'retry_after_ms=4321');
    assert.equal(sluice.state.until, Date.now() + 4321);
    await page.event('online');
    await page.pass(4320);
    assert.equal(page.sockets.length, 1);
    await page.pass(1);
    assert.equal(page.sockets.length, 2);
  });

  test('a drain without a delay is an ordinary loss', async t => {
    const { page, sluice } = await openedPage(t);
    page.socket.end(1012, 'retry_after_ms=soon');
    assert.equal(sluice.state.until, Date.now() + 250);
  });

  for (const code of [1000, 1001, 1005, 1006, 1008, 1011, 1013, 4000])
    test(`${code}: it reconnects`, async t => {
      const { page } = await openedPage(t);
      page.socket.end(code);
      await page.pass(250);
      assert.equal(page.sockets.length, 2);
    });

  for (const code of [1002, 1003, 1007, 1009])
    test(`${code}: it stops, and reports it`, async t => {
      const { page, sluice } = await openedPage(t);
      page.socket.end(code, 'words');
      assert.deepEqual(sluice.state, { name: 'closed', code, reason: 'words' });
      await page.event('online');
      await page.event('pageshow', { persisted: true });
      await page.pass(100000);
      assert.equal(page.sockets.length, 1);
      assert.equal(page.timers, 0);
    });
});

describe('4401 and 4403', () => {
  /* A page whose connection ended so, and whose check will have this status. */
  async function ended(t, status, code = 4401, ...args) {
    const { page, sluice } = await openedPage(t, {}, ...args);
    page.checked = status;
    page.socket.end(code, 'words');
    await page.settle();
    return { page, sluice };
  }

  for (const [code, status] of [[4401, 401], [4403, 403]])
    test(`${code}: it stops, once a check a moment later has said so, too`, async t => {
      const { page, sluice } = await ended(t, status, code);
      assert.deepEqual(sluice.state, { name: 'waiting', until: Date.now() + 1250, code, reason: 'words' });
      await page.pass(1249);
      assert.deepEqual(page.fetched, []);
      await page.pass(1);
      assert.equal(page.fetched.length, 1);
      assert.equal(page.fetched[0].url.href, 'https://app.example.com/ws/check');
      assert.deepEqual(sluice.state, { name: 'closed', code, reason: `the answer to ${status}` });
      await page.event('online');
      await page.event('pageshow', { persisted: true });
      await page.pass(100000);
      assert.equal(page.sockets.length, 1);
      assert.equal(page.fetched.length, 1);
      assert.equal(page.timers, 0);
    });

  for (const status of [204, 404, 429, 503, null])
    test(`4401, then ${status ?? 'no answer'}: it reconnects`, async t => {
      const { page, sluice } = await ended(t, status);
      sluice.subscribe('a', () => {});
      await page.pass(1250);
      assert.equal(page.sockets.length, 2);
      page.socket.open();
      assert.deepEqual(await page.answer(), ['subscribe a']);
      assert.deepEqual(sluice.heard, ['waiting', 'connecting', 'open', 'subscribed a']);
    });

  test('4401 before the welcome: a check decides as well', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    await page.settle();
    page.checked = 401;
    page.socket.end(4401);
    await page.pass(1250);
    assert.equal(sluice.state.name, 'closed');
    assert.equal(page.sockets.length, 1);
  });

  test('4401 again and again: the delay doubles', async t => {
    const { page, sluice } = await ended(t, 204);
    for (const wait of [1250, 1500, 2000]) {
      assert.equal(sluice.state.until - Date.now(), wait);
      await page.pass(wait);
      page.socket.open();
      page.socket.end(4401);
    }
  });

  test('4401 with a ticket: the next one, or null, decides', async t => {
    const tickets = ['one', 'two', null];
    const { page, sluice } = await ended(t, 401, 4401, '/ws', { ticket: () => tickets.shift() });
    await page.pass(1250);
    assert.deepEqual(page.socket.protocols, ['sluice.v1', 'ticket.two']);
    page.socket.open();
    page.socket.end(4401);
    await page.pass(1500);
    assert.deepEqual(sluice.state, { name: 'closed', code: 4401, reason: 'no ticket' });
    assert.deepEqual(page.fetched, []);
    assert.equal(page.sockets.length, 2);
  });

  test('4401 with a ticket, before the welcome: it stops', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice('/ws', { ticket: () => 'one' });
    await page.settle();
    page.socket.end(4401, 'words');
    assert.deepEqual(sluice.state, { name: 'closed', code: 4401, reason: 'words' });
    assert.equal(page.timers, 0);
  });

  for (const after of ['close', 'open'])
    test(`${after}() in that moment: the check is not waited for`, async t => {
      const { page, sluice } = await ended(t, 401);
      sluice[after]();
      await page.pass(1250);
      assert.deepEqual(page.fetched, []);
      assert.equal(sluice.state.name, after === 'close' ? 'closed' : 'connecting');
      assert.equal(page.sockets.length, after === 'close' ? 1 : 2);
    });
});

describe('a handshake that fails', () => {
  async function refused(t, status, ...args) {
    const page = new FakePage(t);
    page.checked = status;
    const sluice = page.sluice(...args);
    await page.settle();
    page.socket.end();
    await page.settle();
    return { page, sluice };
  }

  test('is looked into by HTTP, with cookies', async t => {
    const { page } = await refused(t, 204, 'https://gateway.example.com/a/ws?channel=a&channel=b');
    assert.equal(page.fetched.length, 1);
    assert.equal(page.fetched[0].url.href, 'https://gateway.example.com/a/ws/check?channel=a&channel=b');
    assert.equal(page.fetched[0].credentials, 'include');
    assert.ok(page.fetched[0].signal instanceof AbortSignal);
  });

  test('401: it stops, as the session is gone', async t => {
    const { sluice } = await refused(t, 401);
    assert.deepEqual(sluice.state,
      { name: 'closed', code: 4401, reason: 'the answer to 401' });
  });

  test('403: it stops, as the request is not allowed', async t => {
    const { sluice } = await refused(t, 403);
    assert.deepEqual(sluice.state,
      { name: 'closed', code: 4403, reason: 'the answer to 403' });
  });

  for (const status of [204, 404, 429, 503, null])
    test(`${status ?? 'no answer'}: it tries again`, async t => {
      const { page, sluice } = await refused(t, status);
      assert.equal(sluice.state.name, 'waiting');
      assert.equal(sluice.state.code, 1006);
      await page.pass(250);
      assert.equal(page.sockets.length, 2);
    });

  for (const status of [401, 403])
    for (const [whose, type, body] of [
      ['a page of HTML', 'text/html', '<title>Just a moment</title>\n'],
      ['HTML of many lines', 'text/html; charset=utf-8', '<!doctype html>\n<title>Just a moment</title>\n'],
      ['JSON', 'application/json', '{"error":"forbidden"}\n'],
      ['a text of two lines', 'text/plain', 'Access denied\nRay 7\n'],
      ['a line without an end', 'text/plain', 'error code: 1020'],
      ['an empty answer', 'text/plain', ''],
      ['an empty line', 'text/plain', '\n'],
      ['another type that begins alike', 'text/plainer', 'no\n'],
    ])
      test(`${status} with ${whose} is a proxy's: it tries again`, async t => {
        const page = new FakePage(t);
        Object.assign(page, { checked: status, checkedType: type, checkedBody: body });
        const sluice = page.sluice();
        await page.settle();
        page.socket.end();
        await page.settle();
        assert.equal(sluice.state.name, 'waiting');
        assert.deepEqual([sluice.state.code, sluice.state.reason], [1006, '']);
        page.checkedType = 'Text/Plain';
        page.checkedBody = 'no session\n';
        await page.pass(250);
        page.socket.end();
        await page.settle();
        assert.deepEqual(sluice.state, { name: 'closed', code: 4000 + status, reason: 'no session' });
      });

  test('is not looked into with a ticket, which the request would reveal', async t => {
    const { page, sluice } = await refused(t, 401, '/ws', { ticket: () => 'abc' });
    assert.deepEqual(page.fetched, []);
    assert.equal(sluice.state.name, 'waiting');
  });

  test('is not looked into when a close code gives the reason', async t => {
    const page = new FakePage(t);
    page.checked = 401;
    page.sluice();
    await page.settle();
    page.socket.end(1013);
    await page.settle();
    assert.deepEqual(page.fetched, []);
  });

  test('a loss after the opening is not a failed handshake', async t => {
    const { page, sluice } = await openedPage(t);
    page.checked = 401;
    page.socket.end(1006);
    await page.settle();
    assert.deepEqual(page.fetched, []);
    assert.equal(sluice.state.name, 'waiting');
  });

  for (const status of [401, 204])
    test(`a status of ${status} after close() changes nothing`, async t => {
      const page = new FakePage(t);
      page.checked = status;
      const sluice = page.sluice();
      await page.settle();
      page.socket.end();
      await sluice.close();
      await page.settle();
      assert.equal(sluice.state.code, 1000);
      assert.equal(page.timers, 0);
    });
});

describe('a silent connection', () => {
  test('is given up after two pings without an answer', async t => {
    const { page, sluice } = await openedPage(t, { heartbeat: 25 });
    await page.pass(29999);
    assert.deepEqual(page.socket.sent, []);
    await page.pass(6000);
    assert.deepEqual(page.socket.sent.map(({ type }) => type), ['ping', 'ping']);
    assert.equal(sluice.state.name, 'open');
    await page.pass(1);
    assert.equal(sluice.state.name, 'waiting');
    assert.equal(sluice.state.reason, 'no sign of life');
    assert.ok(page.socket.isClosing);
  });

  for (const message of [{ type: 'heartbeat' }, { type: 'pong', id: 1 }, { type: 'publication', channel: 'a', data: 1 }])
    test(`is kept by a message of type ${message.type}`, async t => {
      const { page, sluice } = await openedPage(t, { heartbeat: 25 });
      for (let i = 0; i < 20; i++) {
        await page.pass(25000);
        page.socket.say(message);
      }
      assert.deepEqual(page.socket.sent, []);
      assert.equal(sluice.state.name, 'open');
    });

  test('is kept by an answer to the second ping', async t => {
    const { page, sluice } = await openedPage(t, { heartbeat: 25 });
    for (let i = 0; i < 5; i++) {
      await page.pass(35000);
      page.socket.say({ type: 'pong', id: 2 });
    }
    assert.equal(sluice.state.name, 'open');
  });

  test('is kept when the gateway sends no heartbeats', async t => {
    const { page, sluice } = await openedPage(t, { heartbeat: 0 });
    await page.pass(1e7);
    assert.equal(sluice.state.name, 'open');
    assert.deepEqual(page.socket.sent, []);
  });

  test('is judged by the new heartbeat interval after a reconnection', async t => {
    const { page, sluice } = await openedPage(t, { heartbeat: 1 });
    page.socket.end();
    await page.pass(250);
    page.socket.open({ heartbeat: 100 });
    await page.pass(100000);
    assert.equal(sluice.state.name, 'open');
  });
});

describe('page events', () => {
  for (const type of ['online', 'visibilitychange'])
    test(`${type}: it reconnects at once`, async t => {
      const { page } = await openedPage(t);
      page.chance = 1;
      for (let i = 0; i < 5; i++) {
        page.socket.end();
        await page.settle();
        await page.event(type);
        assert.equal(page.sockets.length, 2 + i);
      }
    });

  test('visible again: it pings the gateway', async t => {
    const { page, sluice } = await openedPage(t, { heartbeat: 25 });
    await page.event('visibilitychange');
    await page.pass(1);
    assert.deepEqual(page.socket.sent.map(({ type }) => type), ['ping']);
    await page.pass(5998);
    assert.equal(sluice.state.name, 'open');
    await page.pass(1);
    assert.equal(sluice.state.name, 'waiting');
  });

  test('visible again: it pings also without heartbeats', async t => {
    const { page, sluice } = await openedPage(t);
    await page.event('online');
    await page.pass(6000);
    assert.equal(sluice.state.name, 'waiting');
  });

  test('in a worker, which has no document: online reconnects at once', async t => {
    const page = new FakePage(t, { isWorker: true });
    await page.opened();
    page.chance = 1;
    page.socket.end();
    await page.event('online');
    assert.equal(page.sockets.length, 2);
  });

  test('hidden: it does nothing', async t => {
    const { page } = await openedPage(t);
    document.hidden = true;
    await page.event('visibilitychange');
    assert.deepEqual(page.socket.sent, []);
  });

  test('the first pageshow does nothing', async t => {
    const { page } = await openedPage(t);
    await page.event('pageshow', { persisted: false });
    assert.equal(page.sockets.length, 1);
    assert.deepEqual(page.socket.sent, []);
  });

  for (const [away, back] of [['pagehide', 'pageshow'], ['freeze', 'resume']])
    test(`${away} closes the connection, ${back} reconnects at once, with a gap`, async t => {
      const { page, sluice } = await openedPage(t, { channels: ['news'] });
      await page.event(away, { persisted: true });
      assert.ok(page.socket.isClosing);
      await page.pass(100000);
      assert.equal(page.sockets.length, 1);
      assert.equal(page.timers, 0);
      await page.event(back, { persisted: back === 'pageshow' });
      assert.equal(page.sockets.length, 2);
      page.socket.open({ channels: ['news'] });
      await page.pass(100);
      assert.deepEqual(sluice.heard, ['connecting', 'open', 'subscribed news', 'gap news']);
    });

  test('resume followed by pageshow connects once', async t => {
    const { page } = await openedPage(t);
    await page.event('pagehide', { persisted: true });
    await page.event('freeze');
    await page.event('resume');
    await page.event('pageshow', { persisted: true });
    assert.equal(page.sockets.length, 2);
  });
});

describe('close()', () => {
  test('resolves when the socket is closed, and nothing happens afterwards', async t => {
    const { page, sluice } = await openedPage(t);
    let isClosed = false;
    const closed = sluice.close().then(() => (isClosed = true));
    assert.deepEqual(sluice.state, { name: 'closed', code: 1000, reason: '' });
    await page.settle();
    assert.ok(page.socket.isClosing);
    assert.equal(isClosed, false);
    page.socket.end(1005);
    await closed;
    await page.event('pageshow', { persisted: true });
    await page.pass(100000);
    assert.equal(page.sockets.length, 1);
    assert.equal(page.timers, 0);
    assert.deepEqual(sluice.heard, ['closed']);
  });

  test('resolves, too, when the socket reports no close', async t => {
    const { page, sluice } = await openedPage(t);
    let isClosed = false;
    sluice.close().then(() => (isClosed = true));
    await page.pass(2999);
    assert.equal(isClosed, false);
    await page.pass(1);
    assert.equal(isClosed, true);
    assert.equal(page.timers, 0);
  });

  test('leaves no timer behind', async t => {
    const { page, sluice } = await openedPage(t);
    const closed = sluice.close();
    page.socket.end(1005);
    await closed;
    assert.equal(page.timers, 0);
  });

  test('works in each state, and twice', async t => {
    const page = new FakePage(t);
    const connecting = page.sluice();
    connecting.close();
    const waiting = page.sluice();
    await page.settle();
    page.socket.end();
    await page.settle();
    await waiting.close();
    await waiting.close();
    assert.equal(page.timers, 0);
    for (const sluice of [connecting, waiting]) assert.equal(sluice.state.code, 1000);
  });

  test('open() connects again, with the same handlers', async t => {
    const { page, sluice } = await openedPage(t);
    sluice.subscribe('a', () => {});
    await page.answer();
    page.checked = 401;
    page.socket.end(4401, 'the session ended');
    await page.pass(1250);
    assert.equal(sluice.state.name, 'closed');
    sluice.takeHeard();
    sluice.open();
    await page.settle();
    page.socket.open();
    assert.deepEqual(await page.answer(), ['subscribe a']);
    await page.pass(100);
    assert.deepEqual(sluice.heard, ['connecting', 'open', 'subscribed a', 'gap a']);
    await page.event('online');
    await page.settle();
    assert.equal(page.socket.sent.at(-1).type, 'ping');
  });

  test('open() ends the delay', async t => {
    const { page, sluice } = await openedPage(t);
    page.socket.end();
    sluice.open();
    await page.settle();
    assert.equal(page.sockets.length, 2);
  });
});
