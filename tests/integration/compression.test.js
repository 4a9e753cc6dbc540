/* permessage-deflate (RFC 7692): a publication is compressed once per window, and all browsers share the
 * result. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { launchChromium } from '../support/chromium.js';
import { file } from '../support/ending.js';
import { servePage } from '../support/site.js';
import { configuration, startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const THRESHOLD = 200;
const text = JSON.stringify(Array.from({ length: 100 }, (_, id) => ({ id, team: 'home', goals: 3 })));

let redis, sluice, cookie, publisher;
before(async () => {
  const compression = { enabled: true, threshold: THRESHOLD };
  ({ redis, sluice, cookie } = await stand(file, { compression }));
  publisher = await redis.client();
});

const open = (perMessageDeflate = true) => sluice.open({ cookie, perMessageDeflate });
const compressions = () => sluice.metric('sluice_compressions_total');
const deliveredBytes = () => sluice.metric('sluice_delivered_bytes_total');

test('a payload arrives unchanged, with and without compression', async () => {
  const browsers = await Promise.all([open(true), open(false)]);
  assert.match(browsers[0].socket.extensions, /permessage-deflate/);
  assert.equal(browsers[1].socket.extensions, '');
  const payloads = [text, 'short', '', '€'.repeat(5000), 'x'.repeat(1000000), randomBytes(3000)];
  for (const payload of payloads) {
    await publisher.publish('news', payload);
    for (const browser of browsers) {
      const { data, isBinary } = await browser.nextMessage();
      assert.ok(data.equals(Buffer.from(payload)), `${data.length} bytes`);
      assert.equal(isBinary, Buffer.isBuffer(payload));
    }
  }
  for (const browser of browsers) browser.terminate();
});

for (const bits of [8, 9, 10, 11, 12, 13, 14, 15])
  test(`a browser with a window of ${1 << bits} bytes can read what it receives`, async () => {
    const browser = await open({ serverMaxWindowBits: bits });
    const before = await compressions();
    const payload = Array.from({ length: 3000 }, (_, i) => `${i % 700}`).join(' ');
    await publisher.publish('news', payload);
    assert.equal(await browser.next(), payload);
    await until(async () => await compressions() === before + 1);
    browser.terminate();
  });

test('compresses a publication once per window, for all workers', async () => {
  const windows = [15, 15, 15, 15, 15, 15, 9, 9, 9, 9, 9, 9];
  const browsers = await Promise.all(windows.map(serverMaxWindowBits => open({ serverMaxWindowBits })));
  await sluice.reaches('sluice_connections', windows.length);
  const before = await compressions();
  for (let i = 0; i < 10; i++) await publisher.publish('news', `${i} ${text}`);
  for (const browser of browsers)
    for (let i = 0; i < 10; i++) assert.equal(await browser.next(), `${i} ${text}`);
  await until(async () => await compressions() === before + 20);
  for (const browser of browsers) browser.terminate();
});

test('does not compress below the threshold, nor for browsers without compression', async () => {
  const [plain, able] = await Promise.all([open(false), open(true)]);
  const before = await compressions();
  await publisher.publish('news', 'x'.repeat(THRESHOLD - 1));
  assert.equal((await able.next()).length, THRESHOLD - 1);
  able.terminate();
  await sluice.reaches('sluice_connections', 1);
  await publisher.publish('news', text);
  for (const length of [THRESHOLD - 1, text.length]) assert.equal((await plain.next()).length, length);
  assert.equal(await compressions(), before);
  plain.terminate();
});

test('sends fewer bytes', async () => {
  const browser = await open();
  await sluice.reaches('sluice_connections', 1);
  const before = await deliveredBytes();
  await publisher.publish('news', text);
  await browser.next();
  await until(async () => await deliveredBytes() > before);
  const bytes = await deliveredBytes() - before;
  assert.ok(bytes < text.length / 5, `${bytes} bytes for ${text.length}`);
  browser.terminate();
});

test('reads compressed messages, and closes on a compression bomb', async () => {
  const browser = await open();
  browser.socket.send('x'.repeat(60000));
  await publisher.publish('news', 'still there');
  assert.equal(await browser.next(), 'still there');
  browser.socket.send('x'.repeat(70000));
  assert.equal((await browser.closed()).code, 1009);
});

test('is off by default', async t => {
  const other = await startSluice(t, redis.url);
  const browser = await other.open({ cookie, perMessageDeflate: true });
  assert.equal(browser.socket.extensions, '');
  browser.terminate();
});

test('can be switched on while connections are open', async t => {
  const other = await startSluice(t, redis.url);
  const openOther = () => other.open({ cookie, perMessageDeflate: true });
  const early = await openOther();
  const config = configuration(redis.url, { compression: { enabled: true } });
  await writeFile(other.configFile, JSON.stringify(config));
  other.hangUp();
  const late = await until(async () => {
    const browser = await openOther();
    return browser.socket.extensions && browser;
  }, { what: 'compression is negotiated' });
  await publisher.publish('news', text);
  for (const browser of [early, late]) assert.equal(await browser.next(), text);
});

test('Chromium negotiates it and can read it', async t => {
  const origin = await servePage(t);
  const other = await startSluice(t, redis.url, { compression: { enabled: true }, origins: [origin] });
  const chrome = await launchChromium(t);
  const context = await chrome.newContext();
  const [name, ...value] = cookie.split('=');
  await context.addCookies([{ name, value: value.join('='), url: origin }]);
  const page = await context.newPage();
  await page.goto(origin);
  const extensions = await page.evaluate(url => new Promise((resolve, reject) => {
    window.messages = [];
    const socket = new WebSocket(url);
    socket.onopen = () => resolve(socket.extensions);
    socket.onerror = () => reject(new Error('not opened'));
    socket.onmessage = ({ data }) => window.messages.push(data);
  }), other.url);
  assert.match(extensions, /permessage-deflate/);
  const before = await other.metric('sluice_compressions_total');
  for (const payload of [text, 'short', 'ü€🙂'.repeat(500)]) await publisher.publish('news', payload);
  await page.waitForFunction(() => window.messages.length === 3);
  assert.deepEqual(await page.evaluate(() => window.messages), [text, 'short', 'ü€🙂'.repeat(500)]);
  assert.equal(await other.metric('sluice_compressions_total'), before + 2);
});
