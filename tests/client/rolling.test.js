/* sluice.js while gateways restart behind a load balancer: no page loses a subscription for good, and each
 * is told what it may have missed. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort } from '../support/ports.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { startBrowser, startSite, visitor } from './site.js';

const CHANNELS = ['team:7', 'team:8', 'public:a', 'public:b'];
const browser = await startBrowser();

/* Publishes numbers on all channels in turn, until it is stopped. */
function publisher(redis) {
  let n = 0;
  let isStopped = false;
  const run = (async () => {
    while (!isStopped) {
      n += 1;
      for (const channel of CHANNELS) await redis.publish(channel, String(n));
      await new Promise(resolve => setTimeout(resolve, 5));
    }
    return n;
  })();
  return { stop: () => ((isStopped = true), run), get n() { return n; } };
}

for (const share of [false, true])
  test(`a rolling restart of two gateways, ${share ? 'with two tabs that share' : 'with one tab'}`, async t => {
    const redis = await startRedis(t);
    const ports = [await freePort(), await freePort()];
    const start = i => startSluice(t, redis.url, { listen: `127.0.0.1:${ports[i]}`, drain: { seconds: 0.5 } });
    const gateways = [await start(0), await start(1)];
    const site = await startSite(t, ...gateways);
    const ada = await visitor(t, browser, site, await logIn(redis, { teams: ['7', '8'] }));
    const tabs = [];
    for (let i = 0; i < (share ? 2 : 1); i++) {
      tabs.push(await ada.connected({ share }));
      await tabs[i].subscribe(...CHANNELS);
      // counts the gaps: after one, a page would fetch what it has missed
      await tabs[i].page.evaluate(() => {
        window.gaps = {};
        sluice.on('gap', ({ channels }) => channels.forEach(one => (gaps[one] = (gaps[one] ?? 0) + 1)));
      });
    }
    const published = publisher(await redis.client());

    for (const i of [0, 1]) {
      gateways[i].program.signal('SIGTERM');
      assert.equal(await gateways[i].program.exit(), 0);
      gateways[i] = await start(i);
      for (const tab of tabs) await tab.state('open');
      const { n } = published;
      await until(async () => published.n > n + 20, { what: '20 more publications' });
    }

    const last = await published.stop();
    for (const tab of tabs) {
      const counts = await tab.until(([channels, wanted]) => channels.every(channel =>
        data.some(([from, one]) => from === channel && one === wanted)) && gaps, [CHANNELS, last]);
      const lost = (await tab.log()).filter(({ name }) => name === 'waiting');
      assert.ok(lost.length >= 1, 'it was never closed');
      for (const { code, reason } of lost) {
        assert.equal(code, 1012);
        assert.match(reason, /^retry_after_ms=\d+$/);
      }
      for (const channel of CHANNELS) assert.equal(counts[channel], lost.length, channel);
      // numbers are missing only where there was a gap
      const seen = await tab.page.evaluate(() => data.filter(([from]) => from === 'team:7').map(([, one]) => one));
      const holes = seen.slice(1).filter((one, i) => one !== seen[i] + 1);
      assert.ok(holes.length <= lost.length, `${holes.length} holes, ${lost.length} losses`);
    }
  });

test('the connection survives a restart of Redis, with a gap', async t => {
  const redis = await startRedis(t);
  const gateway = await startSluice(t, redis.url);
  const site = await startSite(t, gateway);
  const ada = await visitor(t, browser, site, await logIn(redis, { teams: ['7', '8'] }));
  const tab = await ada.connected();
  await tab.subscribe('team:7');
  await redis.kill();
  await until(async () => (await gateway.admin('/readyz')).status === 503);
  await redis.start();
  assert.ok((await tab.event({ type: 'gap' })).channels.includes('team:7'));
  assert.deepEqual((await tab.log()).filter(({ name }) => name === 'waiting'), []);
});
