/* delivery.on_gap: what happens to plain connections that may have missed a publication. */
import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { Browser } from '../support/browser.js';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { isSubscribed, startProxy } from '../support/redis_proxy.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { Page } from '../support/v1.js';

const RETRY = /^retry_after_ms=(\d{1,3})$/;

let redis, client, cookie;
before(async () => {
  redis = await startRedis(file);
  client = await redis.client();
  cookie = await logIn(redis);
});

async function gateway(t, own = {}) {
  const proxy = await startProxy(t, redis);
  const sluice = await startSluice(t, proxy.url, { delivery: { on_gap: 'close' }, ...own });
  return { proxy, sluice };
}

async function assertClosed(browser) {
  const { code, reason } = await browser.closed();
  assert.equal(code, 1012);
  assert.match(reason, RETRY);
}

test('close: a link that was lost and is back closes the plain connections with channels of its home', async t => {
  const { proxy, sluice } = await gateway(t);
  const plain = await sluice.open({ cookie });
  const page = await Page.open(sluice, { cookie });

  proxy.cut(isSubscribed);
  await assertClosed(plain);
  assert.deepEqual(await page.next(), { type: 'gap' }, 'a page that can be told stays');
  assert.ok(page.browser.isOpen);
  (await sluice.open({ cookie })).terminate();
});

test('close: a connection without a channel stays', async t => {
  const rules = [{ match: 'news', allow: 'session' }];
  const { proxy, sluice } = await gateway(t, { channels: rules });
  const idle = await sluice.open({ cookie });
  const reader = await Browser.open(`${sluice.url}?channel=news`, { cookie });
  proxy.cut(isSubscribed);
  await assertClosed(reader);
  assert.ok(idle.isOpen);
});

test('close: a publication that is too large closes the plain connections of its channel, and no others', async t => {
  const { sluice } = await gateway(t, { limits: { publication_bytes: 100 } });
  const browsers = await Promise.all([1, 2].map(() => sluice.open({ cookie })));
  const others = await sluice.open({ cookie: await logIn(redis, { userId: 'u2' }) });
  await client.publish('user:u1', 'x'.repeat(101));
  await Promise.all(browsers.map(assertClosed));
  await client.publish('user:u2', 'fits');
  assert.equal(await others.next(), 'fits');
});

test('continue, the default: a plain connection stays, and receives what is published afterwards', async t => {
  const { proxy, sluice } = await gateway(t, { delivery: {} });
  const plain = await sluice.open({ cookie });
  const page = await Page.open(sluice, { cookie });
  proxy.cut(isSubscribed);
  assert.deepEqual(await page.next(), { type: 'gap' });
  await client.publish('news', 'again');
  assert.equal(await plain.next(), 'again');
});

test('a SIGHUP changes it for open connections', async t => {
  const { proxy, sluice } = await gateway(t, { delivery: { on_gap: 'continue' } });
  const plain = await sluice.open({ cookie });
  const text = await readFile(sluice.configFile, 'utf8');
  await writeFile(sluice.configFile, text.replace('"continue"', '"close"'));
  sluice.hangUp();
  await sluice.program.line(/configuration reloaded/);
  proxy.cut(isSubscribed);
  await assertClosed(plain);
});
