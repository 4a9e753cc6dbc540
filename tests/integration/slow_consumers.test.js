/* A browser that does not read is closed, and never delays another. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPCODE, frame } from '../support/raw_client.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const PAYLOAD = Buffer.alloc(16 << 10, 'x');
const AT_ONCE = 8;

test('closes a slow consumer with 1013 and counts it, while another browser receives everything', async t => {
  const { redis, sluice, cookie } = await stand(t, { limits: { queue_bytes: 1 << 20 } });
  const publisher = await redis.client();
  const good = await sluice.open({ cookie });
  const slow = await sluice.connect();
  await slow.open({ cookie });
  slow.socket.pause();

  let sent = 0;
  await until(async () => {
    await Promise.all(Array.from({ length: AT_ONCE }, () => publisher.publish('news', PAYLOAD)));
    sent += AT_ONCE;
    await until(() => good.received === sent, { what: 'the good browser has everything' });
    return (await sluice.metric('sluice_slow_consumers_total')) === 1;
  }, { what: 'the slow browser is closed', within: 20000 });
  const queued = await sluice.metric('sluice_queued_bytes');
  assert.ok(queued < 2 * AT_ONCE * PAYLOAD.length, `${queued} bytes are kept for a closed connection`);

  slow.socket.resume();
  let last;
  do last = await slow.frame().catch(() => null) ?? last;
  while (last.opcode !== OPCODE.close && !(slow.isEnded && slow.bytes.length === 0));
  if (last.opcode === OPCODE.close) assert.equal(last.payload.readUInt16BE(), 1013);
  else assert.equal(last.payload.length, PAYLOAD.length, 'the last message is complete');
  slow.destroy();

  assert.ok(good.isOpen);
  assert.ok(good.takeAll().every(text => text.length === PAYLOAD.length));
  await sluice.reaches('sluice_connections', 1);
});

test('closes a slow consumer with too many small messages, though their bytes are few', async t => {
  const { redis, sluice, cookie } = await stand(t, { workers: 1 });
  const publisher = await redis.client();
  const slow = await sluice.connect();
  await slow.open({ cookie });
  slow.socket.pause();
  const queued = () => sluice.metric('sluice_queued_bytes');
  await until(async () => {
    await Promise.all(Array.from({ length: AT_ONCE }, () => publisher.publish('news', PAYLOAD)));
    return (await queued()) > PAYLOAD.length && (await queued()) > PAYLOAD.length;
  }, { what: 'the kernel takes no more', within: 20000 });

  // alternate between two channels on one worker, so that no two publications join one run
  let largest = 0;
  await until(async () => {
    await Promise.all(Array.from({ length: 1000 }, (_, i) => publisher.publish(i % 2 ? 'news' : 'user:u1', '')));
    largest = Math.max(largest, await queued());
    return (await sluice.metric('sluice_slow_consumers_total')) === 1;
  }, { what: 'the slow browser is closed', within: 20000 });
  assert.ok(largest < 900000, `${largest} bytes were queued: these alone may exceed the limit`);
  slow.destroy();
  await sluice.reaches('sluice_closes_total{code="1013"}', 1);
});

test('a browser that reads at once is not slow, however much is published together', async t => {
  /* Together five times the limit, and a part of what the kernel takes whatever the browser does: how fast the
   * browser's process is must not matter. */
  const { redis, sluice, cookie } = await stand(t, { limits: { queue_bytes: 65536 } });
  const publisher = await redis.client();
  const browser = await sluice.open({ cookie });
  const large = Buffer.alloc(62500, 'x');
  const CHANNELS = ['news', 'user:u1', 'news', 'user:u1', 'news'];
  for (let round = 1; round <= 10; round++) {
    await Promise.all(CHANNELS.map(channel => publisher.publish(channel, large)));
    await until(() => browser.received === round * CHANNELS.length || !browser.isOpen, {
      what: `${round} rounds`, within: 10000 });
    assert.ok(browser.isOpen, `closed in round ${round}`);
    for (const text of browser.takeAll()) assert.equal(text.length, large.length);
  }
  assert.equal(await sluice.metric('sluice_slow_consumers_total'), 0);
});

test('keeps a connection that reads slowly but stays within its queue', async t => {
  const { redis, sluice, cookie } = await stand(t, { limits: { queue_bytes: 4 << 20 } });
  const publisher = await redis.client();
  const browser = await sluice.open({ cookie });
  browser.socket.pause();
  const COUNT = 100;
  for (let i = 0; i < COUNT; i++) await publisher.publish('news', PAYLOAD);
  await sluice.reaches('sluice_deliveries_total', COUNT);
  browser.socket.resume();
  await until(() => browser.received === COUNT, { what: 'all messages' });
  assert.equal(await sluice.metric('sluice_slow_consumers_total'), 0);
});

test('drops and counts a publication larger than limits.publication_bytes', async t => {
  const { redis, sluice, cookie } = await stand(t, { limits: { publication_bytes: 1024 } });
  const browser = await sluice.open({ cookie });
  const publisher = await redis.client();
  await publisher.publish('news', 'x'.repeat(1025));
  await publisher.publish('news', 'y'.repeat(1024));
  assert.equal(await browser.next(), 'y'.repeat(1024));
  assert.equal(await sluice.metric('sluice_publications_dropped_total'), 1);
});

test('of many pings that arrive while the queue is stuck, answers the last', async t => {
  const limits = { queue_bytes: 64 << 20, frames_per_second: 0 };
  const { redis, sluice, cookie } = await stand(t, { limits });
  const publisher = await redis.client();
  const peer = await sluice.connect();
  await peer.open({ cookie });
  peer.socket.pause();
  const queued = () => sluice.metric('sluice_queued_bytes');
  let published = 0;
  await until(async () => {
    await publisher.publish('news', Buffer.alloc(512 << 10, 'x'));
    published += 1;
    await sluice.reaches('sluice_deliveries_total', published);
    return (await queued()) > 1 << 20;
  }, { what: 'the queue is stuck', within: 20000 });

  const PINGS = 50000, before = await queued();
  for (let i = 1; i <= PINGS; i++) peer.write(frame(OPCODE.ping, String(i)));
  await until(() => peer.socket.writableLength === 0, { what: 'the pings are read', within: 20000 });
  const growth = (await queued()) - before; // the kernel may have taken some more
  assert.ok(growth < PINGS, `${growth} bytes of pongs wait in the queue`);

  peer.socket.resume();
  const pongs = [];
  while (pongs.at(-1) !== String(PINGS)) {
    const { opcode, payload } = await peer.frame();
    if (opcode === OPCODE.pong) pongs.push(payload.toString());
  }
  assert.ok(pongs.length < PINGS / 100, `${pongs.length} pongs`);
  peer.destroy();
});

/* The time to close is extended while the browser takes something. */
test('a slow browser that closes still receives what was sent before, and the close frame', async t => {
  const { redis, sluice, cookie } = await stand(t, { limits: { queue_bytes: 64 << 20 } });
  const publisher = await redis.client();
  const slow = await sluice.connect();
  await slow.open({ cookie });
  slow.socket.pause();
  const MEGABYTE = Buffer.alloc(1 << 20, 'x'), N = 12;
  for (let i = 0; i < N; i++) await publisher.publish('news', MEGABYTE);
  await sluice.reaches('sluice_deliveries_total', N);
  assert.ok(await sluice.metric('sluice_queued_bytes') > 0, 'the kernel takes all');
  slow.send(OPCODE.close, Buffer.from([0x03, 0xe8]));

  // about 2 MB a second, so longer than a connection lingers without progress
  const again = setInterval(() => slow.socket.resume(), 30);
  slow.socket.on('data', () => slow.socket.pause());
  await slow.ended({ within: 20000 });
  clearInterval(again);
  for (let i = 0; i < N; i++) assert.equal((await slow.frame()).payload.length, MEGABYTE.length);
  assert.equal((await slow.frame()).opcode, OPCODE.close);
});
