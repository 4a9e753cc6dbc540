/* Dead peers are found by their silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPCODE } from '../support/raw_client.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const HEARTBEAT = { interval: 0.2, timeout: 0.2 };
const PAYLOAD = 'x'.repeat(16 << 10);

test('a peer that answers no ping is terminated without a close frame, and counted', async t => {
  const { sluice, cookie } = await stand(t, { heartbeat: HEARTBEAT });
  const dead = await sluice.connect();
  await dead.open({ cookie });
  await dead.ended({ within: 3000 });
  const { opcode, payload } = await dead.frame();
  assert.equal(opcode, OPCODE.ping);
  assert.equal(payload.length, 0);
  while (dead.bytes.length > 0) assert.equal((await dead.frame()).opcode, OPCODE.ping);
  await until(async () => (await sluice.metric('sluice_heartbeat_terminations_total')) === 1);
  await until(async () => (await sluice.metric('sluice_connections')) === 0);
});

test('a peer that answers stays, for many pings', async t => {
  const { redis, sluice, cookie } = await stand(t, { heartbeat: HEARTBEAT });
  const browser = await sluice.open({ cookie });
  let pings = 0;
  browser.socket.on('ping', () => (pings += 1));
  await until(() => pings >= 8, { what: 'eight pings' });
  await redis.cli('PUBLISH', 'news', 'still here');
  assert.equal(await browser.next(), 'still here');
  assert.equal(await sluice.metric('sluice_heartbeat_terminations_total'), 0);
});

test('a peer that goes away without a word, as with a cut cable, is found', async t => {
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

/* Takes some 64 KiB each 200 ms, and answers pings in their turn. It takes nothing before `begin`:
 * a peer's kernel that has seen him read fast acknowledges much that he has not read. */
class SlowReader {
  texts = 0;
  longestPause = 0; // milliseconds between a ping and the one before
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

test('a peer that reads slowly, and comes to its pings late, is not terminated', async t => {
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

test('a peer that stops reading is terminated, though its ping waits behind a full queue', async t => {
  const own = { heartbeat: { interval: 0.2, timeout: 0.5 }, limits: { queue_bytes: 64 << 20 } };
  const { redis, sluice, cookie } = await stand(t, own);
  const publisher = await redis.client();
  const deaf = await sluice.connect();
  await deaf.open({ cookie });
  deaf.socket.pause();
  await Promise.all(Array.from({ length: 1000 }, () => publisher.publish('news', PAYLOAD)));
  await until(async () => (await sluice.metric('sluice_heartbeat_terminations_total')) === 1);
  await until(async () => (await sluice.metric('sluice_connections')) === 0);
});
