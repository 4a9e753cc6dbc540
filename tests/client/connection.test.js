/* sluice.js on a page that is made up: how it connects, waits, and comes back or does not. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakePage } from './fake_page.js';

/* The URL and subprotocols that the arguments of a Sluice come to. */
async function target(t, ...args) {
  const page = new FakePage(t);
  page.sluice(...args);
  await page.settle();
  const { url, protocols } = page.socket;
  return [url, ...protocols];
}

describe('where it connects to', () => {
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

  test('a ticket is a subprotocol, and in no address', async t => {
    const expected = ['wss://app.example.com/ws', 'sluice.v1', 'ticket.abc'];
    assert.deepEqual(await target(t, '/ws', { ticket: async () => 'abc' }), expected);
    assert.deepEqual(await target(t, async () => ({ url: '/ws', ticket: 'abc' })), expected);
  });

  test('a function is asked before each connect', async t => {
    const page = new FakePage(t);
    let n = 0;
    page.sluice('/ws', { ticket: () => `t${++n}` });
    await page.settle();
    page.socket.end();
    await page.pass(500);
    assert.deepEqual(page.sockets.map(({ protocols }) => protocols[1]), ['ticket.t1', 'ticket.t2']);
  });

  test('a ticket that is null: there is no log-in, and no use in trying', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice('/ws', { ticket: async () => null });
    await page.settle();
    assert.equal(sluice.state.name, 'closed');
    assert.equal(sluice.state.code, 4401);
    assert.equal(page.sockets.length + page.timers, 0);
  });

  test('a function that fails is asked again later', async t => {
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

  test('a function that never answers is given up', async t => {
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

  test('waiting says until when, and why', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened();
    page.socket.end(1013, 'slow consumer');
    assert.deepEqual(sluice.state,
      { name: 'waiting', until: Date.now() + 250, code: 1013, reason: 'slow consumer' });
    await page.pass(249);
    assert.equal(sluice.state.name, 'waiting');
    await page.pass(1);
    assert.equal(sluice.state.name, 'connecting');
  });

  test('a socket that opens and says nothing is given up', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    await page.settle();
    page.socket.readyState = 1;
    await page.pass(10000);
    assert.ok(page.socket.isClosing);
    assert.equal(sluice.state.name, 'waiting');
    assert.equal(sluice.state.reason, 'no answer');
  });

  test('what an old socket still says is nobody\'s', async t => {
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
  /* The waits after n losses in a row. */
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

  test('the span doubles from 0.5 s to 30 s, and chance says what part of it', async t => {
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

  test('the span begins anew only after a connection that lasted', async t => {
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

  test('a gateway that drains says how long', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened();
    page.socket.end(1012, 'retry_after_ms=4321');
    assert.equal(sluice.state.until, Date.now() + 4321);
    await page.event('online');
    await page.pass(4320);
    assert.equal(page.sockets.length, 1);
    await page.pass(1);
    assert.equal(page.sockets.length, 2);
  });

  test('a drain without a number is a loss like another', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened();
    page.socket.end(1012, 'retry_after_ms=soon');
    assert.equal(sluice.state.until, Date.now() + 250);
  });

  for (const code of [1000, 1001, 1005, 1006, 1008, 1011, 1013, 4000])
    test(`${code}: it comes back`, async t => {
      const page = new FakePage(t);
      await page.opened();
      page.socket.end(code);
      await page.pass(250);
      assert.equal(page.sockets.length, 2);
    });

  for (const code of [1002, 1003, 1007, 1009, 4401, 4403])
    test(`${code}: it stops, and says so`, async t => {
      const page = new FakePage(t);
      const sluice = await page.opened();
      page.socket.end(code, 'words');
      assert.deepEqual(sluice.state, { name: 'closed', code, reason: 'words' });
      await page.event('online');
      await page.event('pageshow', { persisted: true });
      await page.pass(100000);
      assert.equal(page.sockets.length, 1);
      assert.equal(page.timers, 0);
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

  test('is asked about by HTTP, with the cookies', async t => {
    const { page } = await refused(t, 204, 'https://gateway.example.com/a/ws?channel=a&channel=b');
    assert.equal(page.fetched.length, 1);
    assert.equal(page.fetched[0].url.href, 'https://gateway.example.com/a/ws/check?channel=a&channel=b');
    assert.equal(page.fetched[0].credentials, 'include');
    assert.ok(page.fetched[0].signal instanceof AbortSignal);
  });

  test('401: the session is gone', async t => {
    const { sluice } = await refused(t, 401);
    assert.deepEqual(sluice.state,
      { name: 'closed', code: 4401, reason: 'the answer to 401' });
  });

  test('403: not allowed', async t => {
    const { sluice } = await refused(t, 403);
    assert.deepEqual(sluice.state,
      { name: 'closed', code: 4403, reason: 'the answer to 403' });
  });

  for (const status of [204, 404, 429, 503, null])
    test(`${status ?? 'no answer'}: it is tried again`, async t => {
      const { page, sluice } = await refused(t, status);
      assert.equal(sluice.state.name, 'waiting');
      assert.equal(sluice.state.code, 1006);
      await page.pass(250);
      assert.equal(page.sockets.length, 2);
    });

  test('is not asked about when there was a ticket, which a question would show', async t => {
    const { page, sluice } = await refused(t, 401, '/ws', { ticket: () => 'abc' });
    assert.deepEqual(page.fetched, []);
    assert.equal(sluice.state.name, 'waiting');
  });

  test('is not asked about when there is an answer: a close code', async t => {
    const page = new FakePage(t);
    page.checked = 401;
    page.sluice();
    await page.settle();
    page.socket.end(1013);
    await page.settle();
    assert.deepEqual(page.fetched, []);
  });

  test('a loss after it was open is no failed handshake', async t => {
    const page = new FakePage(t);
    page.checked = 401;
    const sluice = await page.opened();
    page.socket.end(1006);
    await page.settle();
    assert.deepEqual(page.fetched, []);
    assert.equal(sluice.state.name, 'waiting');
  });

  for (const status of [401, 204])
    test(`an answer that comes after close() changes nothing: ${status}`, async t => {
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

describe('a link that is dead', () => {
  test('two questions after a silence, then it is lost', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened({ heartbeat: 25 });
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
    test(`${message.type} is a sign of life`, async t => {
      const page = new FakePage(t);
      const sluice = await page.opened({ heartbeat: 25 });
      for (let i = 0; i < 20; i++) {
        await page.pass(25000);
        page.socket.say(message);
      }
      assert.deepEqual(page.socket.sent, []);
      assert.equal(sluice.state.name, 'open');
    });

  test('an answer to the second question is in time', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened({ heartbeat: 25 });
    for (let i = 0; i < 5; i++) {
      await page.pass(35000);
      page.socket.say({ type: 'pong', id: 2 });
    }
    assert.equal(sluice.state.name, 'open');
  });

  test('without heartbeats silence is no sign of death', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened({ heartbeat: 0 });
    await page.pass(1e7);
    assert.equal(sluice.state.name, 'open');
    assert.deepEqual(page.socket.sent, []);
  });

  test('a connection that comes back is watched by its own clock', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened({ heartbeat: 1 });
    page.socket.end();
    await page.pass(250);
    page.socket.open({ heartbeat: 100 });
    await page.pass(100000);
    assert.equal(sluice.state.name, 'open');
  });
});

describe('what happens to the page', () => {
  for (const type of ['online', 'visibilitychange'])
    test(`${type}: it is tried at once`, async t => {
      const page = new FakePage(t);
      page.chance = 1;
      await page.opened();
      for (let i = 0; i < 5; i++) {
        page.socket.end();
        await page.settle();
        await page.event(type);
        assert.equal(page.sockets.length, 2 + i);
      }
    });

  test('visible again: the gateway is asked whether it is there', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened({ heartbeat: 25 });
    await page.event('visibilitychange');
    await page.pass(1);
    assert.deepEqual(page.socket.sent.map(({ type }) => type), ['ping']);
    await page.pass(5998);
    assert.equal(sluice.state.name, 'open');
    await page.pass(1);
    assert.equal(sluice.state.name, 'waiting');
  });

  test('also where there are no heartbeats', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened();
    await page.event('online');
    await page.pass(6000);
    assert.equal(sluice.state.name, 'waiting');
  });

  test('hidden: nothing is done', async t => {
    const page = new FakePage(t);
    await page.opened();
    document.hidden = true;
    await page.event('visibilitychange');
    assert.deepEqual(page.socket.sent, []);
  });

  test('the first pageshow is nothing new', async t => {
    const page = new FakePage(t);
    await page.opened();
    await page.event('pageshow', { persisted: false });
    assert.equal(page.sockets.length, 1);
    assert.deepEqual(page.socket.sent, []);
  });

  for (const [away, back] of [['pagehide', 'pageshow'], ['freeze', 'resume']])
    test(`${away} closes, ${back} connects at once and there was a gap`, async t => {
      const page = new FakePage(t);
      const sluice = await page.opened({ channels: ['news'] });
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

  test('resume and pageshow after each other connect once', async t => {
    const page = new FakePage(t);
    await page.opened();
    await page.event('pagehide', { persisted: true });
    await page.event('freeze');
    await page.event('resume');
    await page.event('pageshow', { persisted: true });
    assert.equal(page.sockets.length, 2);
  });
});

describe('close()', () => {
  test('resolves when the socket is closed; nothing more happens', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened();
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

  test('in each state, and twice', async t => {
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

  test('open() begins again, with the handlers there were', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened();
    sluice.subscribe('a', () => {});
    await page.answer();
    page.socket.end(4401, 'the session ended');
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

  test('open() hurries what waits', async t => {
    const page = new FakePage(t);
    const sluice = await page.opened();
    page.socket.end();
    sluice.open();
    await page.settle();
    assert.equal(page.sockets.length, 2);
  });
});
