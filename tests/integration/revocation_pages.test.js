/* What pages see of a log-out, with reconnecting-websocket in Node and in a real browser. The back end knows
 * nothing about Sluice. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { startBackend } from '../support/backend.js';
import { launchChromium } from '../support/chromium.js';
import { atEnd, file } from '../support/ending.js';
import { openPage } from '../support/pages.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { NO_SWEEP, Visitor } from '../support/visitors.js';

const LIBRARY = fileURLToPath(
  new URL('../node_modules/reconnecting-websocket/dist/reconnecting-websocket-iife.min.js', import.meta.url));

const redis = await startRedis(file);
const backend = await startBackend(file, redis);
const origins = ['same-host', 'none', backend.origin];
const [http, close] = await Promise.all(['http', 'close'].map(reject =>
  startSluice(file, redis.url, { origins, session: { ...NO_SWEEP, reject } })));
const client = await redis.client();

const chrome = await launchChromium(file);

test('a page in Node sees 4401 and is not accepted again without a new log-in', async t => {
  const anna = await backend.logIn('anna');
  const page = openPage(t, http.url, anna.cookie);
  await until(() => page.opened === 1);
  await anna.post('/logout');
  await until(() => page.closes.length > 0);
  assert.equal(page.closes[0].code, 4401);
  await until(() => page.closes.length >= 3, { what: 'it has tried again twice' });
  assert.equal(page.opened, 1);
});

test('a page in Node without a session sees 4401 with session.reject "close", but not with "http"', async t => {
  const visitor = new Visitor(client);
  const pages = [openPage(t, http.url, visitor.cookie), openPage(t, close.url, visitor.cookie)];
  await until(() => pages.every(({ closes }) => closes.length >= 2), { what: 'both were refused twice' });
  assert.ok(pages[0].closes.every(({ code }) => code !== 4401));
  assert.ok(pages[1].closes.every(({ code }) => code === 4401));
  assert.equal(pages[0].opened, 0);

  await visitor.write();
  await until(async () => {
    await client.publish('news', 'welcome');
    return pages.every(({ messages }) => messages.includes('welcome'));
  }, { what: 'both are served' });
  assert.ok(pages[1].closes.every(({ code }) => code === 4401));
});

/* A browser of one user, with one cookie jar for all tabs. */
async function visit(t) {
  const context = await chrome.newContext();
  atEnd(t, () => context.close());
  return context;
}

/* A tab on the back end's site, on a page that does nothing by itself. */
async function home(context) {
  const tab = await context.newPage();
  await tab.goto(`${backend.origin}/healthz`);
  return tab;
}

/* A tab with a socket. `window.seen` records its events. */
async function openTab(context, gateway) {
  const tab = await home(context);
  await tab.addScriptTag({ path: LIBRARY });
  await tab.evaluate(url => {
    window.seen = { opened: 0, closes: [], messages: [] };
    window.socket = new window.ReconnectingWebSocket(url, [], {
      minReconnectionDelay: 50, maxReconnectionDelay: 200, minUptime: 10 });
    socket.addEventListener('open', () => (seen.opened += 1));
    socket.addEventListener('close', ({ code }) => seen.closes.push(code));
    socket.addEventListener('message', ({ data }) => seen.messages.push(data));
  }, gateway.url);
  return tab;
}

const post = (tab, path, body = {}) => tab.evaluate(async ([to, data]) => {
  await fetch(to, {
    method: 'POST', redirect: 'manual', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(data) });
}, [path, body]);
const logIn = (tab, user) => post(tab, '/login', { user });
const sees = (tab, condition) => tab.waitForFunction(condition, null, { timeout: 10000 });

test('Chromium: a log-out in one tab closes the sockets of all tabs, but not of other users', async t => {
  const [anna, bert] = [await visit(t), await visit(t)];
  const door = await home(anna);
  await logIn(door, 'anna');
  await logIn(await home(bert), 'bert');
  const tabs = [await openTab(anna, http), await openTab(anna, http)];
  const other = await openTab(bert, http);
  for (const tab of [...tabs, other]) await sees(tab, () => seen.opened === 1);

  await post(door, '/logout');
  for (const tab of tabs) await sees(tab, () => seen.closes[0] === 4401);
  await client.publish('news', 'for those who stay');
  await sees(other, () => seen.messages.includes('for those who stay'));
  assert.deepEqual(await other.evaluate(() => seen.closes), []);
  for (const tab of tabs) {
    await sees(tab, () => seen.closes.length >= 3); // it has reconnected and was refused
    assert.deepEqual(await tab.evaluate(() => [seen.opened, seen.messages]), [1, []]);
  }
});

test('Chromium: a page without a session sees 4401 with session.reject "close"', async t => {
  const anna = await visit(t);
  const tab = await openTab(anna, close);
  await sees(tab, () => seen.closes.length >= 2 && seen.closes.every(code => code === 4401));
  await logIn(tab, 'anna');
  await tab.evaluate(() => (seen.messages = []));
  await until(async () => {
    await client.publish('news', 'welcome');
    return tab.evaluate(() => seen.messages.includes('welcome'));
  }, { what: 'the page is served', within: 10000 });
});

test('Chromium: sees 4401 when the session expires or becomes another user\'s', async t => {
  for (const end of [key => client.pExpire(key, 20), async key => {
    const session = JSON.parse(await client.get(key));
    await client.set(key, JSON.stringify({ ...session, userId: 'mallory' }));
  }]) {
    const anna = await visit(t);
    await logIn(await home(anna), 'anna');
    const before = await client.keys('sess:*');
    const tab = await openTab(anna, close);
    await sees(tab, () => seen.opened === 1);
    for (const key of before) await end(key);
    await sees(tab, () => seen.closes[0] === 4401);
    await client.flushDb();
  }
});
