/* sluice.js in several tabs of Chromium that share a connection. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clientStand, connections, startBrowser } from './site.js';

const browser = await startBrowser();
const share = { share: true };

/* `n` tabs with one connection, which the first tab has. Each tab is subscribed to team:7. */
async function sharing(t, n) {
  const stand = await clientStand(t, browser);
  const tabs = [];
  for (let i = 0; i < n; i++) {
    tabs.push(await stand.ada.connected(share));
    await tabs[i].subscribe('team:7');
  }
  await connections(stand.gateway, 1);
  return { ...stand, tabs };
}

/* Each tab receives a publication. */
async function receive({ publish }, tabs, payload) {
  await publish('team:7', JSON.stringify(payload));
  for (const tab of tabs)
    await tab.until(wanted => data.some(([channel, one]) => channel === 'team:7' && one === wanted), payload);
}

test('one connection, and each tab receives its own channels', async t => {
  const stand = await sharing(t, 3);
  await receive(stand, stand.tabs, 'for all');
  const [, second] = stand.tabs;
  await second.subscribe('team:8');
  await stand.publish('team:8', '1');
  assert.deepEqual(await second.data(2), [['team:7', 'for all'], ['team:8', 1]]);
  await receive(stand, stand.tabs, 'again');
  assert.deepEqual(await stand.tabs[0].data(2), [['team:7', 'for all'], ['team:7', 'again']]);
  await connections(stand.gateway, 1);
  assert.equal(await stand.gateway.metric('sluice_connections_total'), 1);
});

for (const [how, leave] of [
  ['is closed', tab => tab.page.close()],
  ['navigates away', tab => tab.page.goto('about:blank')],
  ['closes its Sluice', tab => tab.page.evaluate(() => sluice.close())],
])
  test(`the tab with the connection ${how}: another one takes over, with a gap`, async t => {
    const stand = await sharing(t, 3);
    const [first, ...others] = stand.tabs;
    await leave(first);
    for (const tab of others)
      assert.ok((await tab.event({ type: 'gap' })).channels.includes('team:7'));
    await receive(stand, others, 'after');
    await connections(stand.gateway, 1);
  });

test('the tab with the connection is frozen: another one takes over, and serves it after its return', async t => {
  const stand = await sharing(t, 2);
  const [first, second] = stand.tabs;
  await first.freeze();
  assert.ok((await second.event({ type: 'gap' })).channels.includes('team:7'));
  await receive(stand, [second], 'meanwhile');
  await first.resume();
  assert.ok((await first.event({ type: 'gap' })).channels.includes('team:7'));
  await receive(stand, [first, second], 'both');
  await connections(stand.gateway, 1);
});

test('a frozen tab does not take over', async t => {
  const stand = await sharing(t, 3);
  const [first, second, third] = stand.tabs;
  await second.freeze();
  // the browser knows it, too: only the third tab waits for the lock
  await third.page.waitForFunction(async () => (await navigator.locks.query()).pending.length === 1);
  await first.page.close();
  assert.ok((await third.event({ type: 'gap' })).channels.includes('team:7'));
  await receive(stand, [third], 'after');
  await second.resume();
  await second.event({ type: 'gap' });
  await connections(stand.gateway, 1);
});

test('the tab with the connection hangs: the visible one takes over', async t => {
  const stand = await sharing(t, 2);
  const [first, second] = stand.tabs;
  const hang = first.page.evaluate(() => {
    const end = performance.now() + 12000;
    while (performance.now() < end);
  });
  await second.page.evaluate(() => sluice.open());
  assert.ok((await second.event({ type: 'gap' })).channels.includes('team:7'));
  await receive(stand, [second], 'meanwhile');
  await hang;
  assert.ok((await first.event({ type: 'gap' })).channels.includes('team:7'));
  await receive(stand, [first, second], 'both');
  await connections(stand.gateway, 1);
});

test('all tabs share a loss, and the reconnection', async t => {
  const stand = await sharing(t, 2);
  stand.site.cut();
  for (const tab of stand.tabs) {
    await tab.event({ type: 'state', name: 'waiting' });
    assert.ok((await tab.event({ type: 'gap' })).channels.includes('team:7'));
  }
  await receive(stand, stand.tabs, 'after');
});

test('the session ends: all tabs stop, and report it', async t => {
  const stand = await sharing(t, 3);
  await stand.redis.cli('DEL', 'sess:the-session');
  for (const tab of stand.tabs) assert.equal((await tab.state('closed')).code, 4401);
  await connections(stand.gateway, 0);
});

test('the session ends: tabs with connections of their own stop, too', async t => {
  const { ada, redis, gateway } = await clientStand(t, browser);
  const tabs = [await ada.connected(), await ada.connected()];
  await connections(gateway, 2);
  await redis.cli('DEL', 'sess:the-session');
  for (const tab of tabs) assert.equal((await tab.state('closed')).code, 4401);
});
