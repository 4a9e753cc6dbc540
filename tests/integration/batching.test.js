/* delivery.batch_milliseconds: publications wait for others and leave in one write. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { file } from '../support/ending.js';
import { OPCODE } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { configuration, startSluice } from '../support/sluice.js';

const redis = await startRedis(file);
const cookie = await logIn(redis);
const publisher = await redis.client();

const rules = [
  { match: 'news', allow: 'session', auto: true },
  { match: 'score', allow: 'session', auto: true },
  { match: 'alarm', allow: 'session', auto: true, batch_milliseconds: 0 },
];
const start = (t, ms, own = {}) =>
  startSluice(t, redis.url, { channels: rules, delivery: { batch_milliseconds: ms }, ...own });

test('sends what is published within that time in one write, in order', async t => {
  const sluice = await start(t, 500, { workers: 1 });
  const client = await sluice.connect();
  await client.open({ cookie });
  const reads = [];
  client.socket.on('data', bytes => reads.push(bytes.length));
  const began = performance.now();
  for (let i = 0; i < 10; i++) await publisher.publish(i % 2 ? 'score' : 'news', `${i}`);
  for (let i = 0; i < 10; i++) {
    const { opcode, payload } = await client.frame();
    assert.equal(opcode, OPCODE.text);
    assert.equal(payload.toString(), `${i}`);
  }
  assert.deepEqual(reads, [30]);
  assert.ok(performance.now() - began > 450);
});

test('a rule may have its own time', async t => {
  const sluice = await start(t, 1000);
  const browser = await sluice.open({ cookie });
  await publisher.publish('news', 'can wait');
  await publisher.publish('alarm', 'cannot');
  assert.equal(await browser.next(), 'cannot');
  assert.equal(await browser.next(), 'can wait');
});

test('does not hold back more than a mebibyte', async t => {
  const sluice = await start(t, 10000, { limits: { queue_bytes: 64 << 20 } });
  const browser = await sluice.open({ cookie });
  for (let i = 0; i < 40; i++) await publisher.publish('news', 'x'.repeat(100000));
  for (let i = 0; i < 20; i++) assert.equal((await browser.next({ within: 3000 })).length, 100000);
});

test('a drain delivers what waits', async t => {
  const sluice = await start(t, 10000, { drain: { seconds: 1 } });
  const browser = await sluice.open({ cookie });
  for (let i = 0; i < 3; i++) await publisher.publish('news', `${i}`);
  sluice.program.signal('SIGTERM');
  for (let i = 0; i < 3; i++) assert.equal(await browser.next(), `${i}`);
  assert.equal((await browser.closed()).code, 1012);
});

test('can be switched off while publications wait', async t => {
  const sluice = await start(t, 10000);
  const browser = await sluice.open({ cookie });
  for (let i = 0; i < 3; i++) await publisher.publish('news', `${i}`);
  await writeFile(sluice.configFile, JSON.stringify(configuration(redis.url, { channels: rules })));
  sluice.hangUp();
  for (let i = 0; i < 3; i++) assert.equal(await browser.next(), `${i}`);
  await publisher.publish('news', 'at once');
  assert.equal(await browser.next({ within: 1000 }), 'at once');
});
