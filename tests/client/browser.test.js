/* sluice.js in Chromium against the gateway: what a page receives, and how its connection fares. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { clientStand, connections, startBrowser, startSite, visitor } from './site.js';

const browser = await startBrowser();

const stand = (t, config) => clientStand(t, browser, config);

test('a page subscribes and receives publications', async t => {
  const { ada, publish } = await stand(t);
  const tab = await ada.connected();
  assert.equal((await tab.state('open')).user, 'u1');
  await tab.subscribe('team:7', 'news');
  await publish('team:7', '{"n":1}');
  await tab.data(1);
  await publish('news', 'plain text');
  assert.deepEqual(await tab.data(2), [['team:7', { n: 1 }], ['news', 'plain text']]);
  await tab.page.evaluate(() => { subscribe('team:9'); });
  assert.equal((await tab.event({ type: 'error', channel: 'team:9' })).code, 'forbidden');
  assert.deepEqual(tab.errors, []);
});

test('binary data arrives as bytes', async t => {
  const { redis, ada } = await stand(t);
  const tab = await ada.connected();
  await tab.subscribe('team:7');
  await (await redis.client()).publish('team:7', Buffer.from([255, 0, 128]));
  await tab.data(1);
  assert.deepEqual(await tab.page.evaluate(() => [data[0][1].constructor.name, ...data[0][1]]),
    ['Uint8Array', 255, 0, 128]);
});

test('a handler that throws does not stop the others', async t => {
  const { ada, publish } = await stand(t);
  const tab = await ada.connected();
  await tab.page.evaluate(() => {
    sluice.subscribe('team:7', () => { throw new Error('out of order'); });
    sluice.on('subscribed', () => { throw new Error('out of order'); });
  });
  await tab.subscribe('team:7');
  await publish('team:7', '1');
  await publish('team:7', '2');
  assert.deepEqual(await tab.data(2), [['team:7', 1], ['team:7', 2]]);
  assert.ok(tab.errors.length >= 3);
  assert.equal((await tab.state('open')).name, 'open');
});

test('close() resolves when the connection is closed', async t => {
  const { ada, gateway } = await stand(t);
  const tab = await ada.connected();
  await connections(gateway, 1);
  assert.deepEqual(await tab.page.evaluate(async () => {
    await sluice.close();
    return sluice.state;
  }), { name: 'closed', code: 1000, reason: '' });
  await connections(gateway, 0);
  await tab.page.evaluate(() => sluice.open());
  await tab.state('open');
});

test('back from the back/forward cache: it reconnects at once, with a gap', async t => {
  const { ada, gateway, publish } = await stand(t);
  const tab = await ada.connected();
  await tab.subscribe('team:7');
  await tab.page.evaluate(() => {
    window.shown = [];
    addEventListener('pageshow', ({ persisted }) => shown.push(persisted));
  });
  await tab.page.goto(`${ada.site.origin}/elsewhere`);
  await connections(gateway, 0); // or the gateway would send to a page that is gone
  await publish('team:7', '"unheard"');
  await tab.page.goBack({ waitUntil: 'commit' });
  assert.deepEqual(await tab.until(() => window.shown), [true]);
  assert.deepEqual((await tab.event({ type: 'gap' })).channels.sort(), ['news', 'team:7', 'user:u1']);
  await publish('team:7', '"heard"');
  assert.deepEqual(await tab.data(1), [['team:7', 'heard']]);
});

test('frozen and resumed: it reconnects at once, with a gap', async t => {
  const { ada, gateway, publish } = await stand(t);
  const tab = await ada.connected();
  await tab.subscribe('team:7');
  await (await ada.tab()).page.bringToFront();
  await tab.freeze();
  await connections(gateway, 0);
  await tab.resume();
  assert.ok((await tab.event({ type: 'gap' })).channels.includes('team:7'));
  await publish('team:7', '"heard"');
  assert.deepEqual(await tab.data(1), [['team:7', 'heard']]);
});

test('a dead connection is noticed, although nothing closes it', async t => {
  const { ada, site } = await stand(t, { heartbeat: { interval: 1, timeout: 60 } });
  const tab = await ada.connected();
  await tab.subscribe('team:7');
  site.silence();
  const began = performance.now();
  const lost = await tab.event({ type: 'state', name: 'waiting' }, { within: 15000 });
  assert.equal(lost.reason, 'no sign of life');
  t.diagnostic(`noticed after ${((performance.now() - began) / 1000).toFixed(1)} s`);
  assert.ok((await tab.event({ type: 'gap' })).channels.includes('team:7'));
});

test('heartbeats keep an idle connection alive', async t => {
  const { ada, gateway } = await stand(t, { heartbeat: { interval: 1, timeout: 1 } });
  const tab = await ada.tab();
  let heartbeats = 0;
  tab.page.on('websocket', socket => socket.on('framereceived', ({ payload }) => {
    heartbeats += payload.includes('"heartbeat"') && !payload.includes('welcome');
  }));
  await tab.start();
  await until(() => heartbeats >= 9, { what: 'longer than a silence that ends it', within: 20000 });
  assert.deepEqual((await tab.log()).filter(({ type }) => type === 'state').map(({ name }) => name),
    ['connecting', 'open']);
  assert.equal(await gateway.metric('sluice_connections_total'), 1);
});

test('offline, then online: it reconnects at once', async t => {
  const { ada, site } = await stand(t, { heartbeat: { interval: 1, timeout: 60 } });
  const tab = await ada.connected();
  await tab.subscribe('team:7');
  await tab.page.evaluate(() => { Math.random = () => 1; }); // the longest delays
  await ada.context.setOffline(true);
  site.cut();
  await tab.state('waiting');
  // until a delay is long enough to tell the difference
  await until(async () => (await tab.page.evaluate(() => sluice.state.until - Date.now())) > 3000, { within: 20000 });
  await ada.context.setOffline(false);
  await tab.state('open', { within: 1500 });
  assert.ok((await tab.event({ type: 'gap' })).channels.includes('team:7'));
});

test('a session that ends: it stops, and reports it', async t => {
  const { redis, ada, gateway } = await stand(t);
  const tab = await ada.connected();
  await redis.cli('DEL', 'sess:the-session');
  const { code, reason } = await tab.state('closed');
  assert.equal(code, 4401);
  assert.notEqual(reason, '');
  await tab.page.evaluate(() => dispatchEvent(new Event('online')));
  await connections(gateway, 0);
  assert.equal(await gateway.metric('sluice_connections_total'), 1);
});

test('a session that gets a new id: tabs with the new cookie reconnect', async t => {
  const { redis, ada, site, publish } = await stand(t);
  const tabs = [await ada.connected(), await ada.connected()];
  await redis.cli('DEL', 'sess:the-session');
  const [name, value] = (await logIn(redis, { teams: ['7', '8'] }, { id: 'the-new-session' })).split('=');
  await ada.context.addCookies([{ name, value, url: site.origin }]);
  for (const tab of tabs) {
    assert.equal((await tab.event({ type: 'state', name: 'waiting' })).code, 4401);
    await tab.state('open');
    await tab.subscribe('team:7');
  }
  await publish('team:7', '9007199254740993');
  for (const tab of tabs) await tab.data(1);
});

test('in a worker: it receives, comes back at once when online, and closes', async t => {
  const { ada, publish } = await stand(t);
  const tab = await ada.tab();
  await tab.page.evaluate(() => {
    const source = `import { Sluice } from '${location.origin}/sluice.js';
      const sluice = new Sluice('${location.origin}/ws');
      self.onerror = message => { postMessage(['error', message]); };
      sluice.on('state', ({ name }) => {
        postMessage([name]);
        if (name === 'open') dispatchEvent(new Event('online'));
      });
      sluice.on('subscribed', ({ channel }) => channel === 'team:7' && postMessage(['subscribed']));
      sluice.subscribe('team:7', async (data, { text }) => {
        postMessage([data, text]);
        await sluice.close();
        postMessage(['ended']);
      });`;
    const worker = new Worker(URL.createObjectURL(new Blob([source], { type: 'text/javascript' })), { type: 'module' });
    window.said = [];
    worker.onmessage = ({ data }) => said.push(data);
  });
  await tab.until(() => said.some(([one]) => one === 'subscribed'));
  await publish('team:7', '9007199254740993');
  await tab.until(() => said.some(([one]) => one === 'ended'));
  assert.deepEqual(await tab.page.evaluate(() => said),
    [['open'], ['subscribed'], [9007199254740992, '9007199254740993'], ['closed'], ['ended']]);
});

test('no session: it finds the refusal by HTTP, and stops', async t => {
  const { redis, ada, site } = await stand(t);
  await redis.cli('DEL', 'sess:the-session');
  const tab = await ada.tab();
  await tab.start();
  const { code, reason } = await tab.state('closed');
  assert.equal(code, 4401);
  assert.notEqual(reason, '');
  assert.equal(site.asked.filter(url => url === '/ws').length, 1);
  await logIn(redis, {}, { id: 'the-session' });
  await tab.page.evaluate(() => sluice.open());
  await tab.state('open');
});

test('a gateway that is down is tried until it is up', async t => {
  const { ada, site } = await stand(t);
  const { gateways } = site;
  const tab = await ada.tab();
  site.gateways = [{ port: 1 }];
  await tab.start();
  await tab.event({ type: 'state', name: 'waiting' });
  site.gateways = gateways;
  await tab.state('open');
});

test('a channel in the query that is not allowed: it stops by the 403', async t => {
  const { ada } = await stand(t);
  const tab = await ada.tab();
  await tab.start('/ws?channel=team:9');
  assert.equal((await tab.state('closed')).code, 4403);
});

test('a page of another host sees a 401 only from an allowed origin', async t => {
  const redis = await startRedis(t);
  const site = await startSite(t);
  const other = `http://localhost:${site.port}`;
  const gateways = [await startSluice(t, redis.url, { origins: [other] }),
    await startSluice(t, redis.url, { origins: ['https://elsewhere.example.com'] })];
  site.gateways = gateways.slice(0, 1);
  const ada = await visitor(t, browser, site);
  const told = await ada.tab(other);
  await told.start(`${gateways[0].url}`);
  assert.equal((await told.state('closed')).code, 4401);
  await told.start(`${gateways[1].url}`);
  assert.equal((await told.state('waiting')).code, 1006);
  await told.page.evaluate(() => sluice.close());
});

test('a ticket opens, is not in the address, and is fetched for each connection', async t => {
  const redis = await startRedis(t);
  const gateway = await startSluice(t, redis.url, { session: { preset: 'ticket' } });
  const site = await startSite(t, gateway);
  const ada = await visitor(t, browser, site);
  const tab = await ada.tab();
  let n = 0;
  await tab.page.exposeFunction('getTicket', async () => {
    await redis.cli('SET', `ticket:secret${++n}`, '{"userId":"ada"}', 'EX', '30');
    return n > 2 ? null : `secret${n}`;
  });
  await tab.page.evaluate(() => start('/ws', { ticket: getTicket }));
  assert.equal((await tab.state('open')).user, 'ada');
  site.cut();
  await tab.event({ type: 'state', name: 'waiting' });
  await tab.state('open');
  assert.equal(await redis.cli('EXISTS', 'ticket:secret1', 'ticket:secret2'), '0');
  assert.doesNotMatch(site.asked.join(), /secret/);
  site.cut();
  assert.equal((await tab.state('closed')).code, 4401);
});
