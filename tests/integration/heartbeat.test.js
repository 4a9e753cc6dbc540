/* The gateway finds dead peers by their silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPCODE } from '../support/raw_client.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const HEARTBEAT = { interval: 0.2, timeout: 0.2 };
const PAYLOAD = 'x'.repeat(16 << 10);

test('terminates a peer that does not answer, without a close frame, and counts it', async t => {
  const { sluice, cookie } = await stand(t, { heartbeat: HEARTBEAT });
  const dead = await sluice.connect();
  await dead.open({ cookie });
  await dead.ended({ within: 3000 });
  const { opcode, payload } = await dead.frame();
  assert.equal(opcode, OPCODE.ping);
  assert.equal(payload.length, 0);
  while (dead.bytes.length > 0) assert.equal((await dead.frame()).opcode, OPCODE.ping);
  await sluice.reaches('sluice_heartbeat_terminations_total', 1);
  await sluice.reaches('sluice_connections', 0);
});

test('keeps a peer that answers', async t => {
  const { redis, sluice, cookie } = await stand(t, { heartbeat: HEARTBEAT });
  const browser = await sluice.open({ cookie });
  let pings = 0;
  browser.socket.on('ping', () => (pings += 1));
  await until(() => pings >= 8, { what: 'eight pings' });
  await redis.cli('PUBLISH', 'news', 'still here');
  assert.equal(await browser.next(), 'still here');
  assert.equal(await sluice.metric('sluice_heartbeat_terminations_total'), 0);
});

test('terminates a peer that vanishes, as with a cut cable', async t => {
  const { sluice, cookie } = await stand(t, { heartbeat: HEARTBEAT });
  const browser = await sluice.open({ cookie, autoPong: false });
  assert.equal((await browser.closed({ within: 3000 })).code, 1006);
});

test('interval 0 sends no pings', async t => {
  const { redis, sluice, cookie } = await stand(t, { heartbeat: { interval: 0, timeout: 0.2 } });
  const quiet = await sluice.connect();
  await quiet.open({ cookie });
  const other = await sluice.open({ cookie });
  for (let i = 0; i < 30; i++) {
    await redis.cli('PUBLISH', 'news', String(i));
    assert.equal(await other.next(), String(i));
    assert.equal((await quiet.frame()).opcode, OPCODE.text);
  }
});

/* Reads about 64 KiB every 200 ms, and answers pings in their turn. It reads nothing before begin(), because
 * the kernel of a peer that has read fast acknowledges much that the peer has not read. */
class SlowReader {
  texts = 0;
  longestPause = 0; // between two pings, in milliseconds
  #last = performance.now();

  constructor(client) {
    this.client = client;
    client.socket.pause();
    client.socket.on('data', () => client.socket.pause());
  }

  begin(t) {
    const clock = setInterval(() => this.client.socket.resume(), 200);
    t.after(() => clearInterval(clock));
  }

  async read(count) {
    while (this.texts < count) {
      const { opcode } = await this.client.frame();
      if (opcode === OPCODE.text) this.texts += 1;
      if (opcode === OPCODE.ping) this.#answer();
    }
  }

  #answer() {
    this.client.send(OPCODE.pong);
    const now = performance.now();
    this.longestPause = Math.max(this.longestPause, now - this.#last);
    this.#last = now;
  }
}

test('keeps a peer that reads slowly and so answers late', async t => {
  const own = { heartbeat: { interval: 0.2, timeout: 1.5 }, limits: { queue_bytes: 64 << 20 } };
  const { redis, sluice, cookie } = await stand(t, own);
  const publisher = await redis.client();
  const client = await sluice.connect();
  await client.open({ cookie });
  const reader = new SlowReader(client);
  const COUNT = 100;
  await Promise.all(Array.from({ length: COUNT }, () => publisher.publish('news', PAYLOAD)));
  reader.begin(t);
  await reader.read(COUNT);
  await publisher.publish('news', 'still here');
  await reader.read(COUNT + 1);
  assert.ok(reader.longestPause > 3000, `no pong was late: ${Math.round(reader.longestPause)} ms`);
  assert.equal(await sluice.metric('sluice_heartbeat_terminations_total'), 0);
});

test('terminates a peer that stops reading, although its ping waits behind a full queue', async t => {
  const own = { heartbeat: { interval: 0.2, timeout: 0.5 }, limits: { queue_bytes: 64 << 20 } };
  const { redis, sluice, cookie } = await stand(t, own);
  const publisher = await redis.client();
  const deaf = await sluice.connect();
  await deaf.open({ cookie });
  deaf.socket.pause();
  await Promise.all(Array.from({ length: 1000 }, () => publisher.publish('news', PAYLOAD)));
  await sluice.reaches('sluice_heartbeat_terminations_total', 1);
  await sluice.reaches('sluice_connections', 0);
});
