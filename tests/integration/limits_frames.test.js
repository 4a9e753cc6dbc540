/* The limits on what an open connection sends: bytes and fragments of a message, frames per second. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { constants, deflateRawSync } from 'node:zlib';
import { file } from '../support/ending.js';
import { OPCODE, frame, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { configuration, startSluice } from '../support/sluice.js';
import { secondsPass } from '../support/visitors.js';
import { until } from '../support/wait.js';

let redis, cookie;
before(async () => {
  redis = await startRedis(file);
  cookie = await logIn(redis);
});

/* Without pings, so that each frame from the gateway is an answer. */
const start = (t, limits) => startSluice(t, redis.url, { limits, heartbeat: { interval: 0 } });

async function openRaw(t, limits) {
  const sluice = await start(t, limits);
  const client = await sluice.connect();
  await client.open({ cookie });
  return { sluice, client };
}

/* Longer than one second: its frames do not count for the next. */
const nextSecond = () => secondsPass(redis, 2);

const pings = n => Buffer.concat(Array.from({ length: n }, (_, i) => frame(OPCODE.ping, String(i))));

async function takePongs(client, n) {
  for (let i = 0; i < n; i++) {
    const { opcode, payload } = await client.frame();
    assert.deepEqual([opcode, payload.toString()], [OPCODE.pong, String(i)]);
  }
}

/* A message of `n` fragments of one byte. */
function fragmented(n) {
  return Buffer.concat(Array.from({ length: n }, (_, i) =>
    frame(i === 0 ? OPCODE.text : OPCODE.continuation, 'x', { fin: i === n - 1 })));
}

test('limits.message_bytes: a longer message is refused by its header', async t => {
  const { sluice, client } = await openRaw(t, { message_bytes: 1000 });
  client.send(OPCODE.binary, Buffer.alloc(1000));
  client.write(pings(1));
  await takePongs(client, 1);
  client.write(frame(OPCODE.binary, Buffer.alloc(1001)).subarray(0, 8));
  assert.deepEqual(await client.closing(), { code: 1009, reason: '' });
  assert.equal(await sluice.hits('message_bytes'), 1);
});

test('limits.fragments: a message of more is refused, with a reason', async t => {
  const { sluice, client } = await openRaw(t, { fragments: 20 });
  client.write(fragmented(20), fragmented(1), fragmented(20), pings(1));
  await takePongs(client, 1);
  client.write(fragmented(21));
  assert.deepEqual(await client.closing(), { code: 1008, reason: 'too many fragments' });
  assert.equal(await sluice.hits('fragments'), 1);
  assert.equal(await sluice.hits('frames_per_second'), 0);
});

test('limits.fragments: 128 by default', async t => {
  const { client } = await openRaw(t, {});
  client.write(fragmented(128), pings(1));
  await takePongs(client, 1);
  await nextSecond();
  client.write(fragmented(129));
  assert.deepEqual(await client.closing(), { code: 1008, reason: 'too many fragments' });
});

test('limits.frames_per_second: accepts that many in each second, and no more', async t => {
  const { sluice, client } = await openRaw(t, { frames_per_second: 10 });
  for (let second = 0; second < 3; second++) {
    client.write(pings(10));
    await takePongs(client, 10);
    await nextSecond();
  }
  client.write(pings(11));
  await takePongs(client, 10);
  assert.deepEqual(await client.closing(), { code: 1008, reason: 'too many frames' });
  assert.equal(await sluice.hits('frames_per_second'), 1);
  assert.equal(await sluice.metric('sluice_closes_total{code="1008"}'), 1);
});

test('limits.frames_per_second: 256 by default; frames sent with the request count', async t => {
  const sluice = await start(t, {});
  const client = await sluice.connect();
  client.write(handshake({ headers: { Cookie: cookie } }), pings(257));
  assert.equal((await client.answer()).status, 101);
  await takePongs(client, 256);
  assert.deepEqual(await client.closing(), { code: 1008, reason: 'too many frames' });
});

test('limits.frames_per_second: a compressed message pays for what it inflates to', async t => {
  const sluice = await startSluice(t, redis.url, {
    limits: { frames_per_second: 40 }, compression: { enabled: true }, heartbeat: { interval: 0 } });
  const client = await sluice.connect();
  client.write(handshake({ headers: { Cookie: cookie, 'Sec-WebSocket-Extensions': 'permessage-deflate' } }));
  assert.equal((await client.answer()).status, 101);
  const inflates = deflateRawSync(Buffer.alloc(65536), { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
  const bomb = frame(OPCODE.binary, inflates, { rsv: 4 });
  await nextSecond();
  client.write(Buffer.concat([bomb, bomb, pings(2), bomb]));
  await takePongs(client, 2);
  assert.deepEqual(await client.closing(), { code: 1008, reason: 'too many frames' });
  assert.equal(await sluice.hits('frames_per_second'), 1);
});

test('limits.frames_per_second: 0 means no limit', async t => {
  const { client } = await openRaw(t, { frames_per_second: 0 });
  client.write(pings(5000));
  await takePongs(client, 5000);
});

test('limits.frames_per_second: a reload applies to open connections, too', async t => {
  const { sluice, client } = await openRaw(t, { frames_per_second: 0 });
  client.write(pings(100));
  await takePongs(client, 100);
  await writeFile(sluice.configFile,
    JSON.stringify(configuration(redis.url, { limits: { frames_per_second: 50 } })));
  sluice.hangUp();
  await until(() => /configuration reloaded/.test(sluice.log));
  await nextSecond();
  client.write(pings(100));
  await takePongs(client, 50);
  assert.deepEqual(await client.closing(), { code: 1008, reason: 'too many frames' });
});
