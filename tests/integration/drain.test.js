/* The end: SIGTERM closes every connection with 1012, spread over time, and the process ends with 0. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { OPCODE } from '../support/raw_client.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const CROWD = 200;

function crowd(sluice, cookie, n = CROWD) {
  return Promise.all(Array.from({ length: n }, () => sluice.open({ cookie })));
}

test('SIGTERM closes every client with 1012 and a random wait, spread evenly, and the exit status is 0', async t => {
  const SECONDS = 2;
  const { sluice, cookie } = await stand(t, { drain: { seconds: SECONDS } });
  const browsers = await crowd(sluice, cookie);
  const began = performance.now();
  sluice.program.signal('SIGTERM');

  const closes = await Promise.all(browsers.map(async browser => {
    const { code, reason } = await browser.closed({ within: 10000 });
    return { code, reason, at: performance.now() - began };
  }));
  assert.deepEqual([...new Set(closes.map(({ code }) => code))], [1012]);
  const waits = closes.map(({ reason }) => Number(/^retry_after_ms=(\d+)$/.exec(reason)[1]));
  assert.ok(new Set(waits).size > CROWD / 10, `${new Set(waits).size} different waits`);

  const quarters = [0, 0, 0, 0];
  for (const { at } of closes) quarters[Math.min(3, Math.floor((4 * at) / (1000 * SECONDS)))] += 1;
  t.diagnostic(`closes in each quarter of the drain: ${quarters}`);
  for (const n of quarters) assert.ok(n > CROWD / 10 && n < CROWD / 2, `${quarters}`);

  assert.equal(await sluice.program.exit({ within: 5000 }), 0);
});

test('while draining, /readyz answers 503 and new connections are refused', async t => {
  const { sluice, cookie } = await stand(t, { drain: { seconds: 2 } });
  const browsers = await crowd(sluice, cookie, 20);
  sluice.program.signal('SIGTERM');
  await until(async () => (await sluice.admin('/readyz')).status === 503, { what: '/readyz says 503' });
  assert.match((await sluice.admin('/readyz')).body, /drain/i);
  assert.equal((await sluice.admin('/livez')).status, 200);
  const refusal = await sluice.open({ cookie }).then(() => null, error => error);
  assert.ok(refusal, 'the upgrade was accepted');
  assert.ok(refusal.status === 503 || refusal.code === 'ECONNREFUSED', `${refusal.status} ${refusal.code}`);
  assert.ok(browsers.some(browser => browser.isOpen), 'still draining');
  assert.equal(await sluice.program.exit({ within: 8000 }), 0);
});

test('connections receive publications until they are closed', async t => {
  const { redis, sluice, cookie } = await stand(t, { drain: { seconds: 1 } });
  const [browser, ...others] = await crowd(sluice, cookie, 10);
  sluice.program.signal('SIGTERM');
  await until(async () => (await sluice.admin('/readyz')).status === 503);
  await redis.cli('PUBLISH', 'news', 'last words');
  const all = await Promise.all([browser, ...others].map(async one => {
    await one.closed({ within: 5000 });
    return one.takeAll().length;
  }));
  assert.ok(all.filter(n => n === 1).length >= 1, `${all}`);
});

test('SIGINT drains like SIGTERM', async t => {
  const { sluice, cookie } = await stand(t, { drain: { seconds: 0.2 } });
  const browser = await sluice.open({ cookie });
  sluice.program.signal('SIGINT');
  assert.equal((await browser.closed()).code, 1012);
  assert.equal(await sluice.program.exit(), 0);
});

test('SIGUSR1 and SIGUSR2 do nothing', async t => {
  const { sluice, cookie } = await stand(t);
  sluice.program.signal('SIGUSR1');
  sluice.program.signal('SIGUSR2');
  assert.ok((await sluice.open({ cookie })).isOpen);
  sluice.program.signal('SIGTERM');
  assert.equal(await sluice.program.exit(), 0);
});

test('signals in the last moments of a drain do not change the exit status', async t => {
  for (let round = 0; round < 5; round++) {
    const { sluice } = await stand(t, { drain: { seconds: 0.1 } });
    let ended = false;
    sluice.program.signal('SIGTERM');
    const exit = sluice.program.exit().finally(() => { ended = true; });
    while (!ended) {
      try { process.kill(sluice.program.pid, 'SIGHUP'); } catch { break; }
      await new Promise(resolve => setImmediate(resolve));
    }
    assert.equal(await exit, 0);
  }
});

test('without connections a drain ends at once', async t => {
  const { sluice } = await stand(t, { drain: { seconds: 60 } });
  sluice.program.signal('SIGTERM');
  assert.equal(await sluice.program.exit({ within: 5000 }), 0);
});

test('a second SIGTERM ends a long drain at once', async t => {
  const { sluice, cookie } = await stand(t, { drain: { seconds: 60 } });
  await crowd(sluice, cookie, 20);
  sluice.program.signal('SIGTERM');
  await until(async () => (await sluice.admin('/readyz')).status === 503);
  sluice.program.signal('SIGTERM');
  assert.equal(typeof (await sluice.program.exit({ within: 3000 })), 'number');
});

test('a client that never answers the close frame does not delay the end', async t => {
  const { sluice, cookie } = await stand(t, { drain: { seconds: 0.5 } });
  const deaf = await sluice.connect();
  deaf.socket.setNoDelay(true);
  await deaf.open({ cookie });
  sluice.program.signal('SIGTERM');
  const { opcode, payload } = await deaf.frame();
  assert.equal(opcode, OPCODE.close);
  assert.equal(payload.readUInt16BE(), 1012);
  await deaf.ended({ within: 8000 });
  assert.equal(await sluice.program.exit({ within: 8000 }), 0);
});

/* Publishes until 4 MiB wait in the gateway for a client that reads a piece every half second. */
async function slowReader(t, { redis, sluice, cookie }) {
  const publisher = await redis.client();
  const slow = await sluice.connect();
  await slow.open({ cookie });
  slow.socket.pause();
  await until(async () => {
    await publisher.publish('news', Buffer.alloc(64 << 10, 'x'));
    return (await sluice.metric('sluice_queued_bytes')) > 4 << 20;
  }, { what: 'much waits for the client', within: 20000 });
  slow.socket.on('data', () => slow.socket.pause());
  const pieces = setInterval(() => slow.socket.resume(), 500);
  t.after(() => {
    clearInterval(pieces);
    slow.destroy();
  });
}

test('a client that reads slowly does not delay the end', async t => {
  const all = await stand(t, { workers: 1, drain: { seconds: 0.5 }, limits: { queue_bytes: 64 << 20 } });
  await slowReader(t, all);
  all.sluice.program.signal('SIGTERM');
  assert.equal(await all.sluice.program.exit({ within: 8000 }), 0);
});

test('connections with no request, or half of one, do not delay the end', async t => {
  const { sluice, cookie } = await stand(t, {
    workers: 1, drain: { seconds: 0.2 }, limits: { handshake_seconds: 30 } });
  const spare = await sluice.connect();
  const half = await sluice.connect();
  half.write('GET /ws HTTP/1.1\r\nHost: x\r\n');
  await sluice.open({ cookie }); // came later, so the others have been accepted
  sluice.program.signal('SIGTERM');
  assert.equal((await half.answer()).status, 503);
  await half.ended();
  await spare.ended();
  assert.equal(spare.bytes.length, 0, 'a client that has sent no request gets no answer');
  assert.equal(await sluice.program.exit({ within: 2000 }), 0);
});
