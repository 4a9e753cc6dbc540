/* Publications arrive unchanged, in order, at every browser that may see them. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { file } from '../support/ending.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

let redis, sluice, cookie, publisher;
before(async () => {
  ({ redis, sluice, cookie } = await stand(file, { limits: { queue_bytes: 64 << 20 } }));
  publisher = await redis.client();
});

test('a PUBLISH with redis-cli reaches a browser as one text message', async () => {
  const browser = await sluice.open({ cookie });
  await redis.cli('PUBLISH', 'news', '{"id":1}');
  const { data, isBinary } = await browser.nextMessage();
  assert.equal(data.toString(), '{"id":1}');
  assert.equal(isBinary, false);
  browser.terminate();
});

const payloads = {
  'empty': Buffer.alloc(0),
  'of 125 bytes': Buffer.alloc(125, 'a'),
  'of 126 bytes': Buffer.alloc(126, 'b'),
  'of 65,535 bytes': Buffer.alloc(65535, 'c'),
  'of 65,536 bytes': Buffer.alloc(65536, 'd'),
  'of a million bytes': Buffer.alloc(1000000, 'e'),
  'with a NUL, quotes and line breaks': Buffer.from('a\0b"\'\\\r\nc'),
  'in many scripts': Buffer.from('äöü €uro 日本語 🙂 \u{10ffff}'),
};
for (const [what, payload] of Object.entries(payloads))
  test(`a payload ${what} arrives unchanged`, async () => {
    const browser = await sluice.open({ cookie });
    await publisher.publish('news', payload);
    const { data, isBinary } = await browser.nextMessage();
    assert.ok(data.equals(payload), `${data.length} bytes`);
    assert.equal(isBinary, false);
    browser.terminate();
  });

const binaries = {
  'all 256 bytes': Buffer.from(Array.from({ length: 256 }, (_, i) => i)),
  'a truncated character': Buffer.from('€').subarray(0, 2),
  'an overlong encoding': Buffer.from([0xc0, 0xaf]),
  'a surrogate': Buffer.from([0xed, 0xa0, 0x80]),
  'beyond U+10FFFF': Buffer.from([0xf4, 0x90, 0x80, 0x80]),
};
for (const [what, payload] of Object.entries(binaries))
  test(`a payload that is not UTF-8 arrives as a binary message: ${what}`, async () => {
    const browser = await sluice.open({ cookie });
    await publisher.publish('news', payload);
    const { data, isBinary } = await browser.nextMessage();
    assert.ok(data.equals(payload));
    assert.equal(isBinary, true);
    browser.terminate();
  });

test('10,000 publications arrive in order and unchanged, on every worker', async () => {
  const COUNT = 10000;
  const payload = i => `${i}:${'ä'.repeat(i % 100)}`;
  const browsers = await Promise.all(Array.from({ length: 4 }, () => sluice.open({ cookie })));
  const sent = Array.from({ length: COUNT }, (_, i) => publisher.publish('news', payload(i)));
  await Promise.all(sent);
  for (const browser of browsers) {
    await until(() => browser.received === COUNT, {
      what: `${COUNT} messages (${browser.received})`, within: 20000 });
    assert.deepEqual(browser.takeAll(), Array.from({ length: COUNT }, (_, i) => payload(i)));
    browser.terminate();
  }
});

test('the order holds across two channels, published alternately', async t => {
  const COUNT = 1000;
  const both = await logIn(redis, { userId: 'both' });
  const one = await startSluice(t, redis.url, { workers: 1 });
  const browser = await one.open({ cookie: both });
  await Promise.all(Array.from({ length: COUNT }, (_, i) =>
    publisher.publish(i % 2 ? 'news' : 'user:both', String(i))));
  await until(() => browser.received === COUNT, { what: 'all messages' });
  assert.deepEqual(browser.takeAll(), Array.from({ length: COUNT }, (_, i) => String(i)));
});

test('ignores what a browser sends, and the browser keeps receiving', async () => {
  const browser = await sluice.open({ cookie });
  browser.socket.send('hello');
  browser.socket.send(Buffer.from([0, 1, 2]));
  browser.socket.send('{"type":"subscribe","id":1,"channel":"secret"}');
  await redis.cli('PUBLISH', 'news', 'unmoved');
  assert.equal(await browser.next(), 'unmoved');
  assert.ok(browser.isOpen);
  browser.terminate();
});

test('two processes with two workers each: one PUBLISH reaches every browser over two subscriptions', async t => {
  const other = await startSluice(t, redis.url);
  const browsers = await Promise.all(Array.from({ length: 16 }, (_, i) =>
    (i % 2 ? sluice : other).open({ cookie })));
  await until(async () => (await redis.subscribers('news')) === 2, { what: 'NUMSUB is 2' });
  assert.equal(await redis.cli('PUBLISH', 'news', 'everybody'), '2');
  for (const browser of browsers) {
    assert.equal(await browser.next(), 'everybody');
    browser.terminate();
  }
});

test('unsubscribes when the last browser leaves', async () => {
  const before = await redis.channels();
  const leaver = await logIn(redis, { userId: 'leaver' });
  const first = await sluice.open({ cookie: leaver });
  const second = await sluice.open({ cookie: leaver });
  await until(async () => (await redis.subscribers('user:leaver')) === 1);
  await first.close(1000);
  assert.equal(await redis.subscribers('user:leaver'), 1);
  second.terminate();
  await until(async () => (await redis.subscribers('user:leaver')) === 0, {
    what: 'user:leaver is unsubscribed' });
  await until(async () => (await redis.channels()).every(channel => before.includes(channel)));
});

test('has no channel left when all browsers have left', async t => {
  const lonely = await startSluice(t, redis.url);
  const browser = await lonely.open({ cookie: await logIn(redis, { userId: 'lonely' }) });
  await lonely.reaches('sluice_channels', 2);
  await browser.close(1000);
  await lonely.reaches('sluice_channels', 0);
  await redis.left('user:lonely');
});

test('PUBSUB CHANNELS is empty without browsers', async () => {
  await until(async () => (await redis.channels()).length === 0, {
    what: 'no channels', within: 5000 });
});

test('loses nothing when a browser subscribes right after the last one left', async () => {
  const restless = await logIn(redis, { userId: 'restless' });
  for (let i = 0; i < 30; i++) {
    const browser = await sluice.open({ cookie: restless });
    assert.equal(await redis.cli('PUBLISH', 'user:restless', String(i)), '1');
    assert.equal(await browser.next(), String(i));
    browser.terminate();
  }
});
