/* The gateway stops reading from a peer that sends but does not read, and no message is lost. Without this,
 * the large cases of conformance.test.js would test the size of the memory, not the codec. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { Line, TARGET, readAnswer, readFrames } from './conversation.js';
import { binary, close, closing, f, filled, ping, pong, text } from './bytes.js';

const QUEUE_BYTES = 65536;
const READ_BYTES = 65536;
const MESSAGE_BYTES = 16384;
const CONFIG = { heartbeat: { interval: 0 }, limits: { queue_bytes: QUEUE_BYTES } };

let ways;
before(async () => {
  const redis = await startRedis(file);
  const { authorityText, certificate, key } = await makeCertificates(file);
  ways = {
    TCP: { sluice: await startSluice(file, redis.url, CONFIG) },
    TLS: {
      sluice: await startSluice(file, redis.url, { ...CONFIG, tls: { certificate, key } }),
      secure: { ca: authorityText, servername: 'localhost' } },
  };
});

async function open(t, { sluice, secure }) {
  const line = await Line.open(sluice.port, secure);
  t.after(() => line.socket.destroy());
  await line.asked(TARGET);
  return line;
}

const queuedAt = sluice => sluice.metric('sluice_queued_bytes');

for (const way of ['TCP', 'TLS'])
  describe(`over ${way}`, () => {
    test('stops reading from a peer that does not read, which then gets every message and pong in order', async t => {
      const COUNT = 2000;
      const { sluice } = ways[way];
      const line = await open(t, ways[way]);
      const payload = filled(MESSAGE_BYTES);
      line.socket.pause();
      for (let i = 0; i < COUNT; i++) {
        line.socket.write(f(binary, payload));
        line.socket.write(f(ping, String(i)));
      }
      line.socket.write(closing(1000));
      /* All of it is more than what the kernel holds for both directions: something must wait here, and there. */
      await until(async () => (await queuedAt(sluice)) > 0 && line.socket.writableLength > 0, {
        what: 'the gateway has stopped reading', within: 20000 });
      for (let i = 0; i < 50; i++) {
        const queued = await queuedAt(sluice);
        assert.ok(queued <= QUEUE_BYTES + READ_BYTES + MESSAGE_BYTES + 1024, `${queued} bytes are queued`);
      }
      line.socket.resume();
      const frames = readFrames(readAnswer(await line.all()).rest);
      assert.equal(frames.length, 2 * COUNT + 1);
      for (let i = 0; i < COUNT; i++) {
        assert.equal(frames[2 * i][0], binary);
        assert.ok(frames[2 * i][1].equals(payload), `message ${i} came back changed`);
        assert.deepEqual([frames[2 * i + 1][0], frames[2 * i + 1][1].toString('latin1', 0, 20)], [pong, String(i)]);
      }
      assert.equal(frames.at(-1)[0], close);
    });

    test('returns a quarter of a million small frames, which do not fit in a queue', async t => {
      const COUNT = 250000;
      const line = await open(t, ways[way]);
      line.socket.pause();
      line.socket.write(Buffer.concat(Array.from({ length: COUNT }, (_, i) => f(i % 2 ? ping : text, i % 3 ? 'x' : ''))));
      line.socket.write(closing(1000));
      const { sluice } = ways[way];
      await until(async () => line.socket.writableLength === 0 || (await queuedAt(sluice)) > 0, {
        what: 'the gateway has read everything, or has stopped reading', within: 20000 });
      line.socket.resume();
      const frames = readFrames(readAnswer(await line.all()).rest);
      assert.equal(frames.length, COUNT + 1);
      const wrong = frames.slice(0, COUNT).findIndex(([opcode, payload], i) =>
        opcode !== (i % 2 ? pong : text) || payload.toString() !== (i % 3 ? 'x' : ''));
      assert.equal(wrong, -1);
    });
  });

test('keeps nothing of a peer that sends and disappears', async t => {
  const { sluice } = ways.TCP;
  const line = await open(t, ways.TCP);
  line.socket.pause();
  for (let i = 0; i < 1000; i++) line.socket.write(f(binary, filled(MESSAGE_BYTES)));
  await until(async () => (await queuedAt(sluice)) > 0, { what: 'something is queued', within: 20000 });
  line.socket.resetAndDestroy();
  await until(async () => (await queuedAt(sluice)) === 0, { what: 'nothing is queued' });
  await until(async () => (await sluice.metric('sluice_connections')) === 0, { what: 'no connection is counted' });
});
