/* Many clients at once, on the release build: their cost, and that each receives everything. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { numbered, openCrowd } from '../support/crowd.js';
import { paced } from '../support/pace.js';
import { memoryOf } from '../support/program.js';
import { handshake } from '../support/raw_client.js';
import { stand } from '../support/stand.js';
import { soon, until } from '../support/wait.js';

const SIZE = 128;
const KIB = 1024;

test('10,000 connections: one PUBLISH reaches each, with less than 1.5 KiB of memory for a connection', async t => {
  const COUNT = 10000;
  const { redis, sluice, cookie } = await stand(t);
  const request = handshake({ headers: { Cookie: cookie } });
  await openCrowd(t, { target: sluice.target, request, count: 100 });
  const before = memoryOf(sluice.program.pid);

  const began = performance.now();
  const crowd = await openCrowd(t, { target: sluice.target, request, count: COUNT });
  t.diagnostic(`${COUNT} connections opened in ${Math.round(performance.now() - began)} ms`);
  const perConnection = (memoryOf(sluice.program.pid) - before) / COUNT;
  t.diagnostic(`memory of a connection: ${Math.round(perConnection)} bytes`);

  assert.equal(await redis.subscribers('news'), 1);
  const published = performance.now();
  await redis.cli('PUBLISH', 'news', numbered(0, SIZE));
  await until(async () => (await crowd.tally()).received === COUNT, { what: 'all have received it', within: 10000 });
  t.diagnostic(`one publication reached all within ${Math.round(performance.now() - published)} ms`);

  assert.deepEqual(await crowd.tally(), { open: COUNT, received: COUNT, wrong: 0 });
  assert.ok(perConnection < 1.5 * KIB, `${perConnection} bytes`);
});

test('1,000 connections, 100 publications a second for 10 seconds: a million messages in order, none lost', async t => {
  const [COUNT, RATE, SECONDS] = [1000, 100, 10];
  const { redis, sluice, cookie } = await stand(t);
  const publisher = await redis.client();
  const request = handshake({ headers: { Cookie: cookie } });
  const crowd = await openCrowd(t, { target: sluice.target, request, count: COUNT });

  const total = RATE * SECONDS;
  const began = performance.now();
  await soon(paced(total, RATE, n => publisher.publish('news', numbered(n, SIZE))), {
    what: 'all is published', within: 2000 * SECONDS });

  await until(async () => (await crowd.tally()).received >= COUNT * total, {
    what: 'all have received everything', within: 20000 });
  t.diagnostic(`delivered within ${Math.round(performance.now() - began)} ms`);
  assert.deepEqual(await crowd.tally(), { open: COUNT, received: COUNT * total, wrong: 0 });
  assert.equal(await sluice.metric('sluice_slow_consumers_total'), 0);
});
