/* The demo of deploy/: its back end, a gateway, and what users see in their tabs. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startBackend } from '../support/backend.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { startBrowser, startSite, visitor } from './site.js';

const browser = await startBrowser();

async function demo(t) {
  const redis = await startRedis(t);
  const backend = await startBackend(t, redis);
  const gateway = await startSluice(t, redis.url);
  const site = await startSite(t, gateway);
  site.backend = { port: Number(new URL(backend.origin).port) };
  const { context } = await visitor(t, browser, site);
  const open = async () => {
    const page = await context.newPage();
    page.errors = [];
    page.on('pageerror', error => page.errors.push(error.message));
    await page.goto(site.origin);
    return page;
  };
  return { redis, gateway, open };
}

function shows(page, selector, text) {
  return until(async () => (await page.textContent(selector)).includes(text), { what: `${selector}: ${text}` });
}

test('a log-out closes every tab at once, and each shows it', async t => {
  const { gateway, open } = await demo(t);
  const first = await open();
  await first.fill('#user', 'ada');
  await first.click('button');
  await shows(first, '#state', 'live');
  const second = await open();
  await shows(second, '#state', 'live');
  await second.fill('#text', 'to both tabs');
  await second.click('button[value="me"]');
  for (const page of [first, second]) await shows(page, '#messages', '"text":"to both tabs"');
  assert.equal(await second.isVisible('#again'), false);

  await first.bringToFront();
  await first.click('header button');
  const began = performance.now();
  await shows(second, '#state', 'your session ended');
  t.diagnostic(`the other tab: ${Math.round(performance.now() - began)} ms after the click`);
  assert.ok(await second.isVisible('#again'));
  await first.waitForSelector('#user');
  assert.equal(await gateway.metric('sluice_connections'), 0);

  await second.bringToFront();
  await second.click('#again');
  await second.waitForSelector('#user');
  for (const page of [first, second]) assert.deepEqual(page.errors, []);
});
