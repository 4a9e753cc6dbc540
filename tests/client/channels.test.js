/* sluice.js in a simulated page: subscriptions, errors and gaps. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { FakePage, openedPage } from './fake_page.js';

const nothing = () => {};

/* The commands that a socket has sent, as strings like "subscribe a". */
function commands(socket) {
  return socket.sent.map(({ type, channel }) => `${type} ${channel}`);
}

describe('subscribing', () => {
  test('works before, during and after the opening', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    sluice.subscribe('a', nothing);
    await page.settle();
    sluice.subscribe('b', nothing);
    assert.deepEqual(page.socket.sent, []);
    page.socket.open();
    sluice.subscribe('c', nothing);
    assert.deepEqual(await page.answer(), ['subscribe a', 'subscribe b', 'subscribe c']);
    assert.deepEqual(await page.answer(), []);
    assert.deepEqual(sluice.heard,
      ['open', 'subscribed a', 'subscribed b', 'subscribed c']);
  });

  test('several handlers of a channel share one subscription, which ends with the last one', async t => {
    const { page, sluice } = await openedPage(t);
    const seen = [];
    const same = data => seen.push(data);
    const offs = [sluice.subscribe('a', same), sluice.subscribe('a', same)];
    assert.deepEqual(await page.answer(), ['subscribe a']);
    page.socket.say({ type: 'publication', channel: 'a', data: 1 });
    offs[0]();
    offs[0]();
    assert.deepEqual(await page.answer(), []);
    page.socket.say({ type: 'publication', channel: 'a', data: 2 });
    offs[1]();
    assert.deepEqual(await page.answer(), ['unsubscribe a']);
    page.socket.say({ type: 'publication', channel: 'a', data: 3 });
    assert.deepEqual(seen, [1, 1, 2]);
    assert.deepEqual(sluice.heard, ['subscribed a', 'unsubscribed a']);
  });

  test('a handler gets the data, the name of its channel and the text only', async t => {
    const { page, sluice } = await openedPage(t);
    const seen = [];
    for (const channel of ['a', '__proto__'])
      sluice.subscribe(channel, (data, meta) => seen.push([channel, data, meta]));
    for (const channel of ['a', 'b', '__proto__'])
      page.socket.say({ type: 'publication', channel, data: { n: channel } });
    assert.deepEqual(seen, [['a', { n: 'a' }, { channel: 'a', text: '{"n":"a"}' }],
      ['__proto__', { n: '__proto__' }, { channel: '__proto__', text: '{"n":"__proto__"}' }]]);
  });

  /* The text is the payload, byte for byte; of a JSON string it is what is in it. */
  for (const [payload, text = payload] of [['9007199254740993'], ['{"id":9007199254740993, "a":1.10}'],
    [' [1e999 ]\n'], ['{"data":1,"at":"x"}'], ['null'],
    ['[{"at":"x"},"at"]'], ['"a \\u00fc, \\"data\\":"', 'a ü, "data":'], ['""', '']])
    for (const channel of ['a', 'a,', 'a","data":', '\\', 'ü'])
      test(`the text of ${JSON.stringify(payload)} on ${JSON.stringify(channel)}`, async t => {
        const { page, sluice } = await openedPage(t);
        const seen = [];
        sluice.subscribe(channel, (data, meta) => seen.push(meta.text));
        sluice.on('publication', one => seen.push(one.text));
        for (const more of ['', ',"at":"17-4"'])
          page.socket.sayText(`{"type":"publication","channel":${JSON.stringify(channel)},"data":${payload}${more}}`);
        assert.deepEqual(seen, [text, text, text, text]);
      });

  test('binary data has no text', async t => {
    const { page, sluice } = await openedPage(t);
    const seen = [];
    sluice.subscribe('a', (data, { text }) => seen.push(text));
    page.socket.say({ type: 'publication', channel: 'a', base64: '/wAB' });
    assert.deepEqual(seen, [undefined]);
  });

  for (const data of [null, 0, '', false, 'text', [1]])
    test(`the data may be ${JSON.stringify(data)}`, async t => {
      const { page, sluice } = await openedPage(t);
      const seen = [];
      sluice.subscribe('a', one => seen.push(one));
      page.socket.say({ type: 'publication', channel: 'a', data });
      assert.deepEqual(seen, [data]);
    });

  test('binary data arrives as bytes', async t => {
    const { page, sluice } = await openedPage(t);
    const seen = [];
    sluice.subscribe('a', one => seen.push(one));
    page.socket.say({ type: 'publication', channel: 'a', base64: '/wAB' });
    assert.deepEqual(seen, [new Uint8Array([255, 0, 1])]);
  });

  test('each publication is an event, also without a handler for its channel', async t => {
    const { page, sluice } = await openedPage(t);
    const seen = [];
    const off = sluice.on('publication', ({ channel, data }) => seen.push([channel, data]));
    page.socket.say({ type: 'publication', channel: 'news', data: 1 });
    off();
    page.socket.say({ type: 'publication', channel: 'news', data: 2 });
    assert.deepEqual(seen, [['news', 1]]);
  });

  test('a channel that the gateway subscribes by itself gets no command', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    const off = sluice.subscribe('news', nothing);
    await page.settle();
    page.socket.open({ channels: ['news', 'user:ada'] });
    assert.deepEqual(sluice.heard, ['open', 'subscribed news', 'subscribed user:ada']);
    off();
    page.socket.say({ type: 'subscribed', channel: 'extra' });
    sluice.subscribe('a', nothing);
    await page.settle();
    assert.deepEqual(commands(page.socket), ['subscribe a']);
  });

  test('a change while a command is pending is sent after the answer', async t => {
    const { page, sluice } = await openedPage(t);
    const off = sluice.subscribe('a', nothing);
    await page.settle();
    off();
    await page.settle();
    assert.deepEqual(commands(page.socket), ['subscribe a']);
    page.socket.answer();
    assert.deepEqual(commands(page.socket), ['subscribe a', 'unsubscribe a']);
    sluice.subscribe('a', nothing);
    await page.settle();
    page.socket.answer();
    assert.deepEqual(commands(page.socket), ['subscribe a', 'unsubscribe a', 'subscribe a']);
  });

  test('a change that is undone while a command is pending is not sent', async t => {
    const { page, sluice } = await openedPage(t);
    const off = sluice.subscribe('a', nothing);
    await page.settle();
    off();
    await page.settle();
    sluice.subscribe('a', nothing);
    await page.settle();
    assert.deepEqual(await page.answer(), ['subscribe a']);
    assert.deepEqual(await page.answer(), []);
  });

  test('replacing a handler keeps the subscription', async t => {
    const { page, sluice } = await openedPage(t);
    const off = sluice.subscribe('a', nothing);
    await page.answer();
    off();
    sluice.subscribe('a', nothing);
    assert.deepEqual(await page.answer(), []);
  });

  test('a handler may subscribe and unsubscribe', async t => {
    const { page, sluice } = await openedPage(t);
    const seen = [];
    const off = sluice.subscribe('a', data => {
      seen.push(data);
      off();
      sluice.subscribe('a', more => seen.push(`again ${more}`));
    });
    await page.answer();
    for (const data of [1, 2]) page.socket.say({ type: 'publication', channel: 'a', data });
    assert.deepEqual(seen.filter(one => one === 1 || one === 'again 2'), [1, 'again 2']);
    assert.deepEqual(await page.answer(), []);
  });
});

describe('errors', () => {
  for (const code of ['forbidden', 'limit', 'bad_request'])
    test(`${code} is an error event, and the channel is asked for again only on the next connection`, async t => {
      const { page, sluice } = await openedPage(t);
      const errors = [];
      sluice.on('error', ({ channel, code: found, message }) => errors.push({ channel, code: found, message }));
      sluice.subscribe('a', nothing);
      sluice.subscribe('b', nothing);
      await page.answer(({ type, id, channel }) => channel === 'b' ? { type: `${type}d`, id, channel }
        : { type: 'error', id, code, message: 'no' });
      assert.deepEqual(errors, [{ channel: 'a', code, message: 'no' }]);
      sluice.subscribe('c', nothing);
      await page.pass(60000);
      assert.deepEqual(await page.answer(), ['subscribe c']);
      page.socket.end();
      await page.pass(250);
      page.socket.open();
      assert.deepEqual(await page.answer(), ['subscribe a', 'subscribe b', 'subscribe c']);
    });

  test('a refused channel is asked for again after its last handler has gone', async t => {
    const { page, sluice } = await openedPage(t);
    const refuse = ({ id }) => ({ type: 'error', id, code: 'forbidden', message: 'no' });
    const off = sluice.subscribe('a', nothing);
    await page.answer(refuse);
    sluice.subscribe('a', nothing)();
    assert.deepEqual(await page.answer(), []);
    off();
    await page.settle();
    sluice.subscribe('a', nothing);
    assert.deepEqual(await page.answer(), ['subscribe a']);
    page.socket.say({ type: 'unsubscribed', channel: 'a', reason: 'revoked' });
    assert.deepEqual(await page.answer(), []);
  });

  test('unavailable is reported, and retried until it succeeds', async t => {
    const { page, sluice } = await openedPage(t);
    sluice.subscribe('a', nothing);
    for (let i = 0; i < 3; i++) {
      assert.deepEqual(await page.answer(({ id }) => ({ type: 'error', id, code: 'unavailable', message: 'later' })),
        ['subscribe a']);
      await page.pass(2999);
      assert.deepEqual(await page.answer(), []);
      await page.pass(1);
    }
    sluice.takeHeard();
    assert.deepEqual(await page.answer(), ['subscribe a']);
    await page.pass(100);
    assert.deepEqual(sluice.heard, ['subscribed a']);
  });

  test('an error without a command is an event, and changes nothing', async t => {
    const { page, sluice } = await openedPage(t);
    page.socket.say({ type: 'error', code: 'bad_request', message: 'what?' });
    sluice.subscribe('a', nothing);
    assert.deepEqual(await page.answer(), ['subscribe a']);
    assert.deepEqual(sluice.heard, ['error  bad_request', 'subscribed a']);
  });

  test('a revoked channel is reported, and not asked for again', async t => {
    const { page, sluice } = await openedPage(t);
    const told = [];
    sluice.on('unsubscribed', ({ channel, reason }) => told.push([channel, reason]));
    sluice.subscribe('team:7', nothing);
    await page.answer();
    page.socket.say({ type: 'unsubscribed', channel: 'team:7', reason: 'revoked' });
    sluice.subscribe('a', nothing);
    assert.deepEqual(await page.answer(), ['subscribe a']);
    assert.deepEqual(told, [['team:7', 'revoked']]);
    page.socket.say({ type: 'subscribed', channel: 'team:7' });
    assert.equal(sluice.heard.at(-1), 'subscribed team:7');
  });
});

describe('gaps', () => {
  test('come after a loss, as soon as a channel is subscribed again', async t => {
    const { page, sluice } = await openedPage(t, { channels: ['news'] });
    for (const channel of ['a', 'b', 'c']) sluice.subscribe(channel, nothing);
    await page.answer();
    page.socket.end();
    await page.pass(250);
    sluice.takeHeard();
    page.socket.open({ channels: ['news'] });
    sluice.subscribe('new', nothing);
    await page.settle();
    const [a, b, c] = page.socket.sent;
    page.socket.say({ type: 'subscribed', id: b.id, channel: 'b' });
    await page.pass(99);
    page.socket.say({ type: 'subscribed', id: a.id, channel: 'a' });
    assert.deepEqual(sluice.takeHeard(), ['open', 'subscribed news', 'subscribed b', 'subscribed a']);
    await page.pass(1);
    assert.deepEqual(sluice.takeHeard(), ['gap news b a']);
    page.socket.say({ type: 'subscribed', id: c.id, channel: 'c' });
    page.socket.say({ type: 'subscribed', id: c.id + 1, channel: 'new' });
    await page.pass(100);
    assert.deepEqual(sluice.takeHeard(), ['subscribed c', 'subscribed new', 'gap c']);
  });

  test('do not come for a channel that is refused or no longer wanted', async t => {
    const { page, sluice } = await openedPage(t);
    const off = sluice.subscribe('a', nothing);
    sluice.subscribe('b', nothing);
    await page.answer();
    off();
    await page.answer();
    page.socket.end();
    await page.pass(250);
    page.socket.open();
    sluice.takeHeard();
    sluice.subscribe('a', nothing);
    await page.answer(({ type, id, channel }) => channel === 'a' ? { type: `${type}d`, id, channel }
      : { type: 'error', id, code: 'forbidden', message: 'no' });
    await page.pass(100);
    assert.deepEqual(sluice.heard, ['error b forbidden', 'subscribed a']);
  });

  test('do not come with the first connection', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    await page.settle();
    page.socket.end();
    await page.pass(500);
    sluice.subscribe('a', nothing);
    page.socket.open();
    await page.answer();
    await page.pass(100);
    assert.doesNotMatch(sluice.heard.join(), /gap/);
  });

  test('come from the gateway for all channels or for one', async t => {
    const { page, sluice } = await openedPage(t, { channels: ['a', 'b'] });
    page.socket.say({ type: 'gap' });
    page.socket.say({ type: 'gap', channel: 'b' });
    assert.deepEqual(sluice.heard.slice(-2), ['gap a b', 'gap b']);
  });
});

describe('many channels', () => {
  /* The highest number of commands in any second. */
  function most({ sent }) {
    return Math.max(...sent.map(({ at }) => sent.filter(one => one.at >= at && one.at < at + 1000).length));
  }

  test('commands are paced to less than 200 in any second', async t => {
    const page = new FakePage(t);
    const sluice = page.sluice();
    const names = Array.from({ length: 500 }, (_, i) => `c${i}`);
    for (const name of names) sluice.subscribe(name, nothing);
    await page.settle();
    page.socket.open();
    for (let ms = 0; ms < 7000; ms += 10) {
      page.socket.answer();
      await page.pass(10);
    }
    assert.deepEqual(page.socket.sent.map(({ channel }) => channel), names);
    assert.ok(most(page.socket) < 200, `${most(page.socket)} in a second`);
    assert.equal(sluice.heard.filter(one => one.startsWith('subscribed')).length, 500);
  });

  test('a late subscription waits for the next second', async t => {
    const { page, sluice } = await openedPage(t);
    for (let i = 0; i < 1000; i++) {
      const off = sluice.subscribe('x', nothing);
      await page.answer();
      off();
      await page.pass(2);
      await page.answer();
    }
    assert.ok(page.socket.sent.length > 90);
    assert.ok(most(page.socket) < 200, `${most(page.socket)} in a second`);
  });
});
