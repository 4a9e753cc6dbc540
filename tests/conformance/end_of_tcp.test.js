/* RFC 6455 §7.1.1: the gateway ends TCP first, and does not wait forever for the peer to end it. */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { until } from '../support/wait.js';
import { Line, TARGET, readAnswer, readFrames } from './conversation.js';
import { close, closing, f, text } from './bytes.js';

let sluice;
before(async () => {
  const redis = await startRedis(file);
  sluice = await startSluice(file, redis.url, { heartbeat: { interval: 0 } });
});

for (const [name, bytes, code] of [
  ['a close frame', closing(1000), 1000],
  ['a failure', f(3, 'x'), 1002],
])
  test(`drops a peer that does not end its side after ${name}, after two seconds`, async t => {
    const line = await Line.open(sluice.port, undefined, { allowHalfOpen: true });
    t.after(() => line.socket.destroy());
    await line.asked(TARGET);
    line.socket.write(Buffer.concat([f(text, 'a'), bytes]));
    const frames = readFrames(readAnswer(await line.all()).rest);
    assert.deepEqual(frames.map(([opcode]) => opcode), [text, close]);
    assert.equal(frames[1][1].readUInt16BE(), code);

    const ended = performance.now();
    await until(() => line.socket.destroyed || !line.socket.write('x') || line.error, { what: 'the reset', within: 6000 });
    assert.ok(performance.now() - ended > 1000, 'late bytes are still accepted for a while');
  });
