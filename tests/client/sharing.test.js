/* sluice.js in simulated tabs: one socket for all of them, and which tab has it. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakePage } from './fake_page.js';

const nothing = () => {};
const share = { share: true };

/* `n` tabs of a page. The first one has the socket, which is open. */
async function tabsOf(page, n, welcome) {
  const all = [];
  for (let i = 0; i < n; i++) {
    all.push(page.sluice('/ws', share));
    await page.settle();
  }
  page.pongs = true;
  page.socket.open(welcome);
  await page.settle();
  return all;
}

async function tabs(t, n, welcome) {
  const page = new FakePage(t);
  return [page, ...await tabsOf(page, n, welcome)];
}

describe('tabs that share', () => {
  test('have one socket, and all of them know its state', async t => {
    const [page, ...all] = await tabs(t, 3, { user: 'ada' });
    const late = page.sluice('/ws', share);
    await page.settle();
    assert.equal(page.sockets.length, 1);
    for (const tab of [...all, late]) {
      assert.equal(tab.state.name, 'open');
      assert.equal(tab.state.user, 'ada');
    }
  });

  test('are subscribed to what any of them wants', async t => {
    const [page, a, b] = await tabs(t, 2);
    const seen = [];
    a.subscribe('x', data => seen.push(`a ${data}`));
    const offs = [b.subscribe('x', data => seen.push(`b ${data}`)), b.subscribe('y', nothing)];
    await page.settle();
    assert.deepEqual(await page.answer(), ['subscribe x', 'subscribe y']);
    page.socket.say({ type: 'publication', channel: 'x', data: 1 });
    await page.settle();
    assert.deepEqual(seen, ['a 1', 'b 1']);
    for (const off of offs) off();
    await page.settle();
    assert.deepEqual(await page.answer(), ['unsubscribe y']);
  });

  test('unsubscribe on close from what no other tab wants', async t => {
    const [page, a, b] = await tabs(t, 2);
    a.subscribe('x', nothing);
    b.subscribe('y', nothing);
    await page.answer();
    await b.close();
    assert.deepEqual(await page.answer(), ['unsubscribe y']);
  });

  test('all receive binary data', async t => {
    const [page, , b] = await tabs(t, 2);
    const seen = [];
    b.subscribe('x', data => seen.push(data));
    page.socket.say({ type: 'publication', channel: 'x', base64: '/wAB' });
    await page.settle();
    assert.deepEqual(seen, [new Uint8Array([255, 0, 1])]);
  });

  test('all receive the text of the payload', async t => {
    const [page, , b] = await tabs(t, 2);
    const seen = [];
    b.subscribe('x', (data, { text }) => seen.push(text));
    page.socket.sayText('{"type":"publication","channel":"x","data":9007199254740993}');
    await page.settle();
    assert.deepEqual(seen, ['9007199254740993']);
  });

  test('get "subscribed" for a channel that another tab has had for a while', async t => {
    const [page, a, b] = await tabs(t, 2);
    a.subscribe('x', nothing);
    await page.answer();
    await page.settle();
    b.takeHeard();
    b.subscribe('x', nothing);
    await page.settle();
    assert.deepEqual(await page.answer(), []);
    assert.deepEqual(b.takeHeard(), ['subscribed x']);
    b.subscribe('x', nothing);
    await page.pass(100000);
    assert.deepEqual(b.takeHeard(), ['subscribed x']);
  });

  test('do not share with another address or another name', async t => {
    const page = new FakePage(t);
    page.sluice('/ws', share);
    page.sluice('/other', share);
    page.sluice('/ws', { share: 'other' });
    page.sluice('/ws');
    await page.settle();
    assert.equal(page.sockets.length, 4);
  });

  test('all stop when the session ends', async t => {
    const [page, ...all] = await tabs(t, 3);
    page.checked = 401;
    page.socket.end(4401, 'the session ended');
    await page.pass(1250);
    assert.equal(page.fetched.length, 1);
    for (const tab of all)
      assert.deepEqual(tab.state,
        { name: 'closed', code: 4401, reason: 'the answer to 401' });
    await page.pass(100000);
    assert.equal(page.timers, 0);
    assert.ok(page.sockets.length <= 2);
  });

  test('all reconnect when the session has a new id', async t => {
    const [page, ...all] = await tabs(t, 2);
    page.checked = 204;
    page.socket.end(4401, 'the session ended');
    await page.pass(1250);
    page.socket.open();
    await page.settle();
    for (const tab of all) assert.equal(tab.state.name, 'open');
  });

  test('all reconnect after a loss, with a gap', async t => {
    const [page, ...all] = await tabs(t, 2);
    for (const tab of all) tab.subscribe('x', nothing);
    await page.answer();
    await page.settle();
    for (const tab of all) tab.takeHeard();
    page.socket.end();
    await page.pass(250);
    page.socket.open();
    await page.answer();
    await page.pass(100);
    for (const tab of all)
      assert.deepEqual(tab.heard, ['waiting', 'connecting', 'open', 'subscribed x', 'gap x']);
  });
});

describe('the tab with the socket', () => {
  /* Two tabs with a channel each; then `giveUp` makes the first one lose the socket. */
  async function handedOver(t, giveUp) {
    const [page, a, b] = await tabs(t, 2);
    a.subscribe('x', nothing);
    b.subscribe('y', nothing);
    await page.settle();
    await page.answer();
    await page.settle();
    b.takeHeard();
    await giveUp(a, page);
    await page.settle();
    assert.equal(page.sockets.length, 2);
    return { page, a, b };
  }

  test('closes: another tab takes over, with a gap', async t => {
    const { page, b } = await handedOver(t, a => { a.close(); });
    assert.ok(page.sockets[0].isClosing);
    page.socket.open();
    assert.deepEqual(await page.answer(), ['subscribe y']);
    await page.pass(100);
    assert.deepEqual(b.heard, ['connecting', 'open', 'subscribed y', 'gap y']);
  });

  test('closes: the next tab asks all others for their channels', async t => {
    const [page, a, b, c] = await tabs(t, 3);
    b.subscribe('y', nothing);
    c.subscribe('z', nothing);
    await page.answer();
    a.close();
    await page.settle();
    page.socket.open();
    assert.deepEqual((await page.answer()).sort(), ['subscribe y', 'subscribe z']);
  });

  test('is silent and misses the take-over: it gets a gap all the same', async t => {
    const [page, a, b] = await tabs(t, 2);
    for (const tab of [a, b]) tab.subscribe('x', nothing);
    await page.answer();
    page.freezeLocks();
    page.freeze(0);
    await page.pass(40000);
    assert.equal(page.sockets.length, 2);
    page.socket.open();
    await page.answer();
    a.takeHeard();
    page.thaw();
    await page.pass(100);
    assert.deepEqual(a.heard, ['connecting', 'open', 'subscribed x', 'gap x']);
  });

  test('is silent: another tab takes over, and serves it like the others', async t => {
    const { page, a, b } = await handedOver(t, async (a, page) => {
      page.freeze(0);
      await page.pass(40000);
    });
    page.thaw();
    await page.settle();
    assert.ok(page.sockets[0].isClosing);
    page.socket.open();
    await page.settle();
    assert.deepEqual((await page.answer()).sort(), ['subscribe x', 'subscribe y']);
    await page.pass(100);
    assert.equal(a.state.name, 'open');
    assert.equal(a.heard.at(-1).split(' ').sort().join(' '), 'gap x y');
    assert.equal(b.heard.at(-1).split(' ').sort().join(' '), 'gap x y');
  });

  test('is silent: a visible page takes over sooner', async t => {
    await handedOver(t, async (a, page) => {
      page.freeze(0);
      await page.event('visibilitychange');
      await page.pass(9000);
    });
  });

  test('answers: no other tab takes over', async t => {
    const [page] = await tabs(t, 3);
    await page.pass(200000);
    assert.equal(page.sockets.length, 1);
  });

  test('reconnects at once when another tab calls open()', async t => {
    const [page, a, b] = await tabs(t, 2);
    page.chance = 1;
    page.socket.end();
    await page.settle();
    assert.equal(b.state.name, 'waiting');
    b.open();
    await page.settle();
    assert.equal(a.state.name, 'connecting');
    assert.equal(page.sockets.length, 2);
  });

  test('drops the channels of a dead tab at the next connection', async t => {
    const [page, a, b] = await tabs(t, 2);
    a.subscribe('x', nothing);
    b.subscribe('y', nothing);
    await page.settle();
    await page.answer();
    page.freeze(1);
    page.socket.end();
    await page.pass(250);
    page.socket.open();
    await page.settle();
    assert.deepEqual(await page.answer(), ['subscribe x']);
  });
});

describe('where tabs cannot share', () => {
  test('each has its own socket: the browser has no Web Locks', async t => {
    const page = new FakePage(t, { locks: false });
    const [a] = await tabsOf(page, 2);
    assert.equal(page.sockets.length, 2);
    a.subscribe('x', nothing);
    await page.settle();
    page.sockets[0].open();
    assert.deepEqual(page.sockets[0].answer(), ['subscribe x']);
    assert.doesNotMatch(a.heard.join(), /error/);
  });

  test('each has its own socket: the browser denies Web Locks', async t => {
    const page = new FakePage(t);
    navigator.locks.request = async () => { throw new DOMException('no', 'SecurityError'); };
    const [a] = await tabsOf(page, 2);
    a.subscribe('x', nothing);
    page.sockets[0].open();
    await page.settle();
    assert.equal(page.sockets.length, 2);
    assert.deepEqual(page.sockets[0].answer(), ['subscribe x']);
    await page.pass(1000000);
    assert.equal(page.sockets.length, 2);
  });
});

describe('a tab that shares', () => {
  for (const [away, back] of [['pagehide', 'pageshow'], ['freeze', 'resume']])
    test(`${away}: it gives up the connection; ${back}: it shares again`, async t => {
      const [page, a] = await tabs(t, 1);
      a.subscribe('x', nothing);
      await page.answer();
      await page.event(away);
      assert.ok(page.socket.isClosing);
      const b = page.sluice('/ws', share);
      await page.settle();
      assert.equal(page.sockets.length, 2);
      page.socket.open();
      a.takeHeard();
      await page.event(back, { persisted: true });
      assert.deepEqual(await page.answer(), ['subscribe x']);
      await page.pass(100);
      assert.equal(a.heard.at(-1), 'gap x');
      assert.equal(a.state.name, 'open');
      assert.equal(b.state.name, 'open');
    });
});
