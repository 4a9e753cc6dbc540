/* `sluice --dev` as a user of the quickstart sees it: its page in a real browser. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { test } from 'node:test';
import { launchChromium } from '../support/chromium.js';
import { atEnd, file } from '../support/ending.js';
import { run } from '../support/program.js';
import { Sluice } from '../support/sluice.js';
import { until } from '../support/wait.js';

const sluice = new Sluice(['--dev', '--listen', '127.0.0.1:0']);
atEnd(file, () => sluice.end());
const [url] = await sluice.program.line(/http:\/\/[^\s/]+\//);
const [, redisArguments] = await sluice.program.line(/redis-cli (.*? )?publish /i);

/* Like a user who copies the line that --dev prints. */
async function publish(channel, payload) {
  const { status, stdout } = await run('redis-cli', [...redisArguments.trim().split(' '), 'PUBLISH', channel, payload]);
  assert.equal(status, 0);
  return Number(stdout);
}

const browser = await launchChromium(file);

async function openPage(t) {
  const context = await browser.newContext();
  atEnd(t, () => context.close());
  return openTab(context);
}

async function openTab(context) {
  const page = await context.newPage();
  const errors = [];
  page.on('pageerror', error => errors.push(error.message));
  await page.goto(url);
  const state = wanted => page.waitForSelector(`#state[data-state="${wanted}"]`, { state: 'attached', timeout: 10000 });
  return { context, page, errors, state };
}

async function logIn({ page, state }, name) {
  await page.fill('#login-name', name);
  await page.click('#login');
  await state('live');
}

test('log in, see a published message, log out', async t => {
  const visit = await openPage(t);
  await logIn(visit, 'anna');
  await until(async () => (await publish('news', '{"text":"hello from redis-cli"}')) >= 1);
  await visit.page.waitForFunction(
    () => document.querySelector('#messages').textContent.includes('hello from redis-cli'));

  await visit.page.click('#logout');
  await visit.state('out');
  assert.deepEqual(visit.errors, []);
});

test('log-out in one tab: the gateway closes the connections of all tabs, and each tab says so', async t => {
  const visit = await openPage(t);
  await logIn(visit, 'dora');
  const other = await openTab(visit.context);
  await other.state('live');
  const stranger = await openPage(t);
  await logIn(stranger, 'emil');
  assert.equal(await other.page.isVisible('#login'), false);

  await visit.page.click('#logout');
  await visit.state('out');
  await other.state('refused');
  assert.equal(await other.page.textContent('#state-text'), 'Your session ended');
  assert.match(await other.page.textContent('#notice'), /gateway has closed this connection/);
  for (const { page } of [visit, other]) assert.ok(await page.isVisible('#login'));
  await publish('news', '{"text":"after the log-out"}');
  await stranger.page.waitForFunction(
    () => document.querySelector('#messages').textContent.includes('after the log-out'));
  for (const { page } of [visit, other])
    assert.doesNotMatch(await page.textContent('#messages'), /after the log-out/);

  await logIn(other, 'dora');
  await publish('user:dora', '{"text":"back again"}');
  await other.page.waitForFunction(() => document.querySelector('#messages').textContent.includes('back again'));
  for (const { errors } of [visit, other, stranger]) assert.deepEqual(errors, []);
});

test('a tab notices a log-in in another tab when it becomes visible', async t => {
  const visit = await openPage(t);
  const other = await openTab(visit.context);
  await other.state('out');
  await logIn(visit, 'fritz');
  await other.page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  await other.state('live');
  assert.equal(await other.page.textContent('#user'), 'fritz');
});

test('two users see the same news', async t => {
  const visits = [await openPage(t), await openPage(t)];
  await logIn(visits[0], 'anna');
  await logIn(visits[1], 'bert');
  await publish('news', '{"text":"for everybody"}');
  for (const { page } of visits)
    await page.waitForFunction(() => document.querySelector('#messages').textContent.includes('for everybody'));
});

test('shows payloads that are not JSON, or look like HTML, as text', async t => {
  const visit = await openPage(t);
  await logIn(visit, 'carl');
  await publish('news', '<img src=x onerror="document.title=\'broken\'"> plain');
  await visit.page.waitForFunction(() => document.querySelector('#messages').textContent.includes('onerror='));
  assert.notEqual(await visit.page.title(), 'broken');
  assert.deepEqual(visit.errors, []);
});

test('removes its Redis and its folder when it ends', async () => {
  const brief = new Sluice(['--dev', '--listen', '127.0.0.1:0']);
  const [, configuration] = await brief.program.line(/(\/\S+\.json)/);
  const [, port] = await brief.program.line(/redis-cli -p (\d+)/);
  assert.ok(existsSync(configuration));
  await brief.end();
  assert.equal(existsSync(dirname(configuration)), false);
  assert.notEqual((await run('redis-cli', ['-p', port, 'PING'])).status, 0);
});
