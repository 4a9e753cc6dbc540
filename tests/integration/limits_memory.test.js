/* The limits on memory: of one queue, of all queues together, of one publication. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Browser } from '../support/browser.js';
import { folder } from '../support/folder.js';
import { OPCODE } from '../support/raw_client.js';
import { memoryOf } from '../support/program.js';
import { logIn } from '../support/sessions.js';
import { stand } from '../support/stand.js';
import { secondsPass } from '../support/visitors.js';
import { until } from '../support/wait.js';

const MIB = 1 << 20;
const PAYLOAD = Buffer.alloc(64 << 10, 'x');

/* Over a Unix socket, whose buffers are small: over TCP the kernel would hold most of what is queued. */
async function standAtSocket(t, limits) {
  const socket = join(await folder(t), 'sluice.sock');
  const env = { ASAN_OPTIONS: 'detect_leaks=1:quarantine_size_mb=4' };
  const { redis, sluice, cookie } = await stand(t, {
    listen: `unix:${socket}`, limits, heartbeat: { interval: 0 } }, { env });
  const publisher = await redis.client();
  return {
    redis, sluice, publisher,
    open: () => Browser.open(`ws+unix://${socket}:/ws`, { cookie }),
    deaf: async (user = 'u1') => {
      const client = await sluice.connect();
      await client.open({ cookie: user === 'u1' ? cookie : await logIn(redis, { userId: user }) });
      client.socket.pause();
      return client;
    } };
}

const publish = (publisher, n) =>
  Promise.all(Array.from({ length: n }, () => publisher.publish('news', PAYLOAD)));

/* The close frame, after whole messages. */
function closingOf(client) {
  client.socket.resume();
  return client.closing(({ payload }) => assert.equal(payload.length, PAYLOAD.length));
}

test('limits.buffered_bytes: closes 200 clients that do not read, the others get everything', async t => {
  const DEAF = 200, GOOD = 5, ROUNDS = 500, A_ROUND = 2;
  const { sluice, publisher, open, deaf } = await standAtSocket(t, {
    buffered_bytes: 4 * MIB, queue_bytes: 1 << 30 });
  const deafs = await Promise.all(Array.from({ length: DEAF }, () => deaf()));
  const good = await Promise.all(Array.from({ length: GOOD }, open));
  const before = memoryOf(sluice.program.pid);
  const seen = { memory: 0, buffered: 0 };
  let told = null;
  for (let round = 1; round <= ROUNDS; round++) {
    await publish(publisher, A_ROUND);
    await until(() => good.every(one => one.received === round * A_ROUND), {
      what: `round ${round}`, within: 10000 });
    seen.memory = Math.max(seen.memory, memoryOf(sluice.program.pid) - before);
    seen.buffered = Math.max(seen.buffered, await sluice.metric('sluice_buffered_bytes'));
    if (!told && (await sluice.hits('buffered_bytes')) === DEAF) told = await closingOf(deafs[0]);
    for (const one of good) one.takeAll();
  }
  t.diagnostic(`${ROUNDS * A_ROUND * PAYLOAD.length / MIB} MiB were published: memory grew by ` +
    `${(seen.memory / MIB).toFixed(1)} MiB, at most ${(seen.buffered / MIB).toFixed(1)} MiB were buffered`);
  assert.deepEqual(told, { code: 1013, reason: 'overload' });
  assert.equal(await sluice.hits('buffered_bytes'), DEAF);
  assert.ok(seen.buffered > 2 * MIB, 'the limit was never near');
  assert.ok(seen.buffered < 6 * MIB, `${seen.buffered} bytes were buffered`);
  assert.ok(seen.memory < 40 * MIB, `memory grew by ${seen.memory}`);
  assert.equal(await sluice.hits('queue_bytes'), 0);
  assert.ok(good.every(one => one.isOpen));
});

/* Every payload that was published to the client came, and no close frame. */
async function assertReceives(client, n) {
  client.socket.resume();
  for (let i = 0; i < n; i++) {
    const { opcode, payload } = await client.frame();
    assert.deepEqual([opcode, payload.length], [OPCODE.text, PAYLOAD.length], payload.subarray(0, 40).toString());
  }
}

test('limits.buffered_bytes: the longest queues are closed first, and they need not become longer for that', async t => {
  const GREEDY = 3, LAGGING = 8, LONG = 24;
  const { redis, sluice, publisher, deaf } = await standAtSocket(t, {
    buffered_bytes: 7 * MIB, queue_bytes: 1 << 30 });
  const greedy = [], lagging = [];
  for (let i = 0; i < GREEDY; i++) greedy.push(await deaf(`greedy${i}`));
  for (let i = 0; i < LAGGING; i++) lagging.push(await deaf(`lagging${i}`));
  const publishTo = (kind, n) => Promise.all(Array.from({ length: n }, (_, i) =>
    publisher.publish(`user:${kind}${i}`, PAYLOAD)));
  let deliveries = 0, received = 0;
  const delivered = n => sluice.reaches('sluice_deliveries_total', (deliveries += n));
  for (let i = 0; i < LONG; i++) await publishTo('greedy', GREEDY);
  await delivered(LONG * GREEDY);
  const lag = async () => {
    await publishTo('lagging', LAGGING);
    received += 1;
    await delivered(LAGGING);
  };
  for (let i = 0; i < 7; i++) await lag();
  /* longer than a queue may be stuck while memory is short */
  await secondsPass(redis, 2);
  for (let i = 0; i < 8 && !(await sluice.hits('buffered_bytes')); i++) await lag();
  const hits = await until(() => sluice.hits('buffered_bytes'), { what: 'one is closed' });
  assert.ok(hits >= 1 && hits <= GREEDY, `${hits} were closed`);
  await Promise.all(lagging.map(one => assertReceives(one, received)));
  assert.equal(await sluice.metric('sluice_closes_total{code="1006"}'), 0);
  const codes = [];
  for (const one of greedy) {
    one.socket.resume();
    const last = await until(() => one.bytes.includes('overload') || one.bytes.length > (LONG - 1) * PAYLOAD.length);
    codes.push(Boolean(last) && one.bytes.includes('overload'));
  }
  assert.equal(codes.filter(Boolean).length, hits);
});

test('sluice_buffered_bytes: a publication counts once, until no queue holds it', async t => {
  const { sluice, publisher, deaf } = await standAtSocket(t, { queue_bytes: 1 << 30 });
  const buffered = () => sluice.metric('sluice_buffered_bytes');
  const nothing = await until(buffered);
  assert.ok(nothing < 10000, `${nothing}`);
  const deafs = await Promise.all(Array.from({ length: 20 }, () => deaf()));
  for (let i = 0; i < 32; i++) await publish(publisher, 1);
  await sluice.reaches('sluice_deliveries_total', 32 * 20);
  const queued = await sluice.metric('sluice_queued_bytes');
  assert.ok(queued > 20 * MIB, `${queued} bytes are queued`);
  const held = await buffered();
  assert.ok(held > 1.5 * MIB && held < 3 * MIB, `${held} bytes are buffered`);
  for (const one of deafs) one.destroy();
  await until(async () => (await buffered()) <= nothing, { what: 'nothing is buffered' });
});

test('limits.queue_bytes: a client with a longer queue is closed', async t => {
  const { sluice, publisher, deaf } = await standAtSocket(t, { queue_bytes: MIB });
  const client = await deaf();
  await until(async () => {
    await publish(publisher, 2);
    return (await sluice.hits('queue_bytes')) === 1;
  }, { what: 'it is closed' });
  assert.deepEqual(await closingOf(client), { code: 1013, reason: 'slow consumer' });
  assert.equal(await sluice.hits('buffered_bytes'), 0);
});

test('limits.publication_bytes: a larger publication is dropped and counted', async t => {
  const { sluice, publisher, open } = await standAtSocket(t, { publication_bytes: 1000 });
  const browser = await open();
  await publish(publisher, 3);
  await publisher.publish('news', 'small');
  assert.equal(await browser.next(), 'small');
  assert.equal(await sluice.hits('publication_bytes'), 3);
});
