/* limits.half_open_per_ip: connections of one address that have not sent a whole request. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { file } from '../support/ending.js';
import { RawClient, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { secondsPass } from '../support/visitors.js';
import { until } from '../support/wait.js';

let redis, cookie, request;
before(async () => {
  redis = await startRedis(file);
  cookie = await logIn(redis);
  request = handshake({ headers: { Cookie: cookie } });
});

const start = (t, limits) => startSluice(t, redis.url, { limits: { handshake_seconds: 60, ...limits } });

/* `n` connections that have sent the first bytes of a request, or nothing. */
async function open(sluice, n, sent = 0) {
  const all = await Promise.all(Array.from({ length: n }, () => sluice.connect()));
  for (const one of all) one.write(request.slice(0, sent));
  return all;
}

const ended = all => all.filter(one => one.isEnded);

async function endedOf(all, n) {
  await until(() => ended(all).length === n, { what: `${n} are closed`, within: 4000 });
  return ended(all);
}

test('connections above the limit get 429, the others may still complete their request', async t => {
  const sluice = await start(t, { half_open_per_ip: 5 });
  const all = await open(sluice, 8, 20);
  for (const one of await endedOf(all, 3)) assert.equal((await one.answer()).status, 429);
  assert.equal(await sluice.hits('half_open_per_ip'), 3);
  for (const one of all.filter(one => !one.isEnded)) {
    one.write(request.slice(20));
    assert.equal((await one.answer()).status, 101);
  }
});

test('a complete request and a closed connection make room', async t => {
  const sluice = await start(t, { half_open_per_ip: 2, handshake_seconds: 1.5 });
  const [finished, gone, beyond] = await open(sluice, 3, 20);
  await endedOf([finished, gone, beyond], 1);
  const stay = [finished, gone, beyond].filter(one => !one.isEnded);
  stay[0].write(request.slice(20));
  assert.equal((await stay[0].answer()).status, 101);
  stay[1].destroy();
  const later = await open(sluice, 2, 20);
  for (const one of await endedOf(later, 2)) assert.equal((await one.answer()).status, 408);
});

test('a connection that has sent nothing is closed without an answer', async t => {
  const sluice = await start(t, { half_open_per_ip: 2 });
  const all = await open(sluice, 4);
  for (const one of await endedOf(all, 2)) assert.equal(one.bytes.length, 0);
  assert.equal(await sluice.hits('half_open_per_ip'), 2);
});

test('each address has its own count, and a quick client never counts', async t => {
  const sluice = await start(t, { half_open_per_ip: 2 });
  await endedOf(await open(sluice, 4), 2);
  const elsewhere = await RawClient.connect({ ...sluice.target, localAddress: '127.0.0.2' });
  t.after(() => elsewhere.destroy());
  const quick = await Promise.all(Array.from({ length: 200 }, async () => {
    const client = await sluice.connect();
    return client.open({ cookie });
  }));
  assert.ok(quick.every(answer => answer.status === 101));
  await secondsPass(redis, 2); // so that the gateway counts it
  assert.ok(!elsewhere.isEnded);
  assert.equal(await sluice.hits('half_open_per_ip'), 2);
});

test('0 means no limit', async t => {
  const sluice = await start(t, { half_open_per_ip: 0, handshake_seconds: 1.5 });
  const all = await open(sluice, 50, 20);
  for (const one of await endedOf(all, 50)) assert.equal((await one.answer()).status, 408);
  assert.equal(await sluice.hits('half_open_per_ip'), 0);
});
