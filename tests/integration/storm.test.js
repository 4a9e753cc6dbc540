/* Everything at once, for the sanitizers' sake: browsers come and go in every way, while much is
 * published, Redis dies and comes back, and the configuration is read again. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPCODE, closePayload, frame, handshake } from '../support/raw_client.js';
import { logIn } from '../support/sessions.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const SECONDS = 4;

/* Ways to come and go. */
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
    'stays a little, and closes': async () => (await open()).close(1000),
    'vanishes': async () => (await open()).terminate(),
    'vanishes before the answer': async () => (await connected([request()])).destroy(),
    'vanishes inside its request': async () => (await connected([request().slice(0, 40)])).destroy(),
    'asks for what it may not have': async () => (await connected([handshake()])).answer(),
    'breaks the protocol': async () => (await connected([request(), frame(3)])).answer(),
    'closes in the same breath': async () =>
      (await connected([request(), frame(OPCODE.close, closePayload(1000))])).answer(),
    'half closes': async () => (await connected([request()])).socket.end(),
  };
}

test('browsers come and go in every way while Redis dies, hangs and comes back', async t => {
  const { redis, sluice } = await stand(t, {
    heartbeat: { interval: 0.3, timeout: 0.3 }, limits: { queue_bytes: 65536 } });
  const cookies = await Promise.all(Array.from({ length: 10 }, (_, i) => logIn(redis, { userId: `u${i}` })));
  const publisher = await redis.client({ disableOfflineQueue: true });
  const ways = Object.values(visits({ sluice, cookies }));
  const end = performance.now() + 1000 * SECONDS;
  const isOn = () => performance.now() < end;
  let n = 0;

  const visitor = async () => {
    // a refusal, or a closed connection, is what happens to some while Redis is away
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
  await until(async () => (await sluice.metric('sluice_connections')) === 1, { what: 'only one is left' });
  await until(async () => (await redis.channels()).length === 2, { what: 'only its channels are left' });
});
