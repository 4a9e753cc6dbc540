/* Everything at once, for the sanitizers: clients connect and disconnect in every way, while many publications
 * come, Redis crashes and restarts, and the configuration is reloaded. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPCODE, closePayload, frame, handshake } from '../support/raw_client.js';
import { logIn } from '../support/sessions.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const SECONDS = 4;

/* Ways to connect and disconnect. */
function visits({ sluice, cookies }) {
  const cookie = () => cookies[Math.floor(Math.random() * cookies.length)];
  const open = () => sluice.open({ cookie: cookie() });
  const connected = async bytes => {
    const client = await sluice.connect();
    client.write(...bytes);
    return client;
  };
  const request = () => handshake({ headers: { Cookie: cookie() } });
  return {
    'closes at once': async () => (await open()).close(1000),
    'vanishes': async () => (await open()).terminate(),
    'vanishes before the answer': async () => (await connected([request()])).destroy(),
    'vanishes inside its request': async () => (await connected([request().slice(0, 40)])).destroy(),
    'sends no cookie': async () => (await connected([handshake()])).answer(),
    'breaks the protocol': async () => (await connected([request(), frame(3)])).answer(),
    'closes in the same segment as its request': async () =>
      (await connected([request(), frame(OPCODE.close, closePayload(1000))])).answer(),
    'half closes': async () => (await connected([request()])).socket.end(),
  };
}

test('survives clients of every kind while Redis crashes, hangs and restarts', async t => {
  const { redis, sluice } = await stand(t, {
    heartbeat: { interval: 0.3, timeout: 0.3 }, limits: { queue_bytes: 65536 } });
  const cookies = await Promise.all(Array.from({ length: 10 }, (_, i) => logIn(redis, { userId: `u${i}` })));
  const publisher = await redis.client({ disableOfflineQueue: true });
  const ways = Object.values(visits({ sluice, cookies }));
  const end = performance.now() + 1000 * SECONDS;
  const isOn = () => performance.now() < end;
  let n = 0;

  const visitor = async () => {
    // some are refused or closed while Redis is down
    while (isOn()) await ways[n++ % ways.length]().catch(() => {});
  };
  const publishing = async () => {
    while (isOn()) {
      const channel = n % 3 ? 'news' : `user:u${n % 10}`;
      await publisher.publish(channel, 'x'.repeat(n % 5000)).catch(() => {});
      await new Promise(setImmediate);
    }
  };
  const trouble = async () => {
    while (isOn()) {
      await redis.kill();
      await redis.start();
      await redis.cli('CLIENT', 'KILL', 'TYPE', 'pubsub');
      redis.pause();
      await sluice.admin('/metrics');
      redis.resume();
      sluice.hangUp();
      await redis.cli('CLIENT', 'PAUSE', '300', 'ALL');
    }
  };
  await Promise.all([...Array.from({ length: 8 }, visitor), publishing(), trouble()]);
  t.diagnostic(`${n} visits`);

  await sluice.ready();
  const cookie = await logIn(redis);
  const browser = await sluice.open({ cookie });
  await redis.cli('PUBLISH', 'news', 'after the storm');
  assert.equal(await browser.next(), 'after the storm');
  await sluice.reaches('sluice_connections', 1);
  await until(async () => (await redis.channels()).length === 2, { what: 'only the channels of one connection' });
});
