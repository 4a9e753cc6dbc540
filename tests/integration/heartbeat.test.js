/* Dead peers are found by their silence. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPCODE } from '../support/raw_client.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const HEARTBEAT = { interval: 0.2, timeout: 0.2 };

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
