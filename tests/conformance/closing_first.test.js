/* RFC 6455 §7.1.2, §7.1.3: the gateway starts the closing handshake, as in a drain, and the peer answers, or does
 * something else first. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { Line, TARGET, readAnswer, readFrames } from './conversation.js';
import { begun, binary, close, closing, f, filled, part, ping, text } from './bytes.js';

let redis;
before(async () => {
  redis = await startRedis(file);
});

/* What the peer sends after the gateway's close frame. */
const ANSWERS = {
  'the same code': [closing(1012)],
  'another code': [closing(1000, 'good-bye')],
  'no code': [f(close)],
  'a message, which does not come back, and then a close frame': [f(text, 'late'), closing(1012)],
  'the rest of a message, which does not come back': [f(0, 'late'), closing(1012)],
  'a ping, which is not answered, and then a close frame': [f(ping, 'late'), closing(1012)],
  'a large message and then a close frame': [f(binary, filled(1 << 20)), closing(1012)],
  'a bad frame: no second close frame': [f(3)],
  'a bad close code: no second close frame': [closing(1005)],
  'text that is not UTF-8: no second close frame': [begun(text, Buffer.from([0xff]))],
  'a close frame byte by byte': [...closing(1012)].map(byte => Buffer.from([byte])),
};

const frames = async line => readFrames(readAnswer(await line.all()).rest);

describe('the gateway closes, and the peer sends', () => {
  for (const [name, bytes] of Object.entries(ANSWERS))
    test(name, async t => {
      const sluice = await startSluice(t, redis.url, { heartbeat: { interval: 0 } });
      const line = await Line.open(sluice.port);
      t.after(() => line.socket.destroy());
      await line.asked(TARGET);
      if (name.startsWith('the rest')) await line.write(part(text, 'begun'));
      sluice.program.signal('SIGTERM');
      await line.come(1);
      for (const one of bytes) {
        line.socket.write(one);
        await nextTurn();
      }
      const came = await frames(line);
      assert.deepEqual(came.map(([opcode]) => opcode), [close]);
      assert.equal(came[0][1].readUInt16BE(), 1012);
    });

  test('nothing: the gateway ends TCP all the same', async t => {
    const sluice = await startSluice(t, redis.url, { heartbeat: { interval: 0 } });
    const line = await Line.open(sluice.port);
    t.after(() => line.socket.destroy());
    await line.asked(TARGET);
    sluice.program.signal('SIGTERM');
    assert.deepEqual((await frames(line)).map(([opcode]) => opcode), [close]);
  });
});
