/* A page that uses reconnecting-websocket needs no change. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openPage } from '../support/pages.js';
import { freePort } from '../support/ports.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';

test('reconnects after the gateway was restarted, and receives again', async t => {
  const redis = await startRedis(t);
  const listen = `127.0.0.1:${await freePort()}`;
  const first = await startSluice(t, redis.url, { listen });
  const page = openPage(t, first.url, await logIn(redis));
  await until(() => page.opened === 1);
  await redis.cli('PUBLISH', 'news', 'before');
  await until(() => page.messages.includes('before'));

  assert.equal(await first.stop(), 0);
  await until(() => page.closes.some(({ code }) => code === 1012));

  const second = await startSluice(t, redis.url, { listen });
  await until(() => page.opened === 2, { what: 'the page has reconnected', within: 10000 });
  await redis.cli('PUBLISH', 'news', 'after');
  await until(() => page.messages.includes('after'));
  assert.equal(await second.metric('sluice_connections'), 1);
});

test('connects once the user has logged in', async t => {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url);
  const cookie = await logIn(redis, {}, { id: 'later' });
  const session = await redis.cli('GET', 'sess:later');
  await redis.cli('DEL', 'sess:later');

  const page = openPage(t, sluice.url, cookie);
  await until(() => page.closes.length >= 2, { what: 'it was refused twice' });
  assert.equal(page.opened, 0);
  await redis.cli('SET', 'sess:later', session);
  await until(() => page.opened === 1, { what: 'the page is open' });
});
