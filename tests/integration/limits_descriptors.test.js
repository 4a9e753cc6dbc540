/* When descriptors are short, open connections stay, new ones wait, and nothing else suffers. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { handshake } from '../support/raw_client.js';
import { logIn } from '../support/sessions.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const under = ['prlimit', '--nofile=256:256'];
const MANY = 400;

/* The share of one CPU that a process uses during `ms`. */
async function busy(pid, ms) {
  const ticks = () => {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ');
    return Number(fields[11]) + Number(fields[12]);
  };
  const before = ticks();
  await delay(ms);
  return (ticks() - before) * 10 / ms;
}

const connect = (sluice, n) => Promise.all(Array.from({ length: n }, () => sluice.connect()));

const isOpen = client => client.bytes.includes('101 Switching');

test('of 400 clients for 256 descriptors the rest waits, and gets in when others leave', async t => {
  const { redis, sluice } = await stand(t, {}, { under });
  const cookie = await logIn(redis, {}, { id: 'everybody' });
  const clients = await connect(sluice, MANY);
  for (const one of clients) one.write(handshake({ headers: { Cookie: cookie } }));
  const count = () => sluice.metric('sluice_connections');
  await until(async () => (await sluice.hits('descriptors')) > 0 && (await count()) > 100);

  const load = await busy(sluice.program.pid, 2000);
  const within = await count();
  t.diagnostic(`${within} are open, the others wait: ${(load * 100).toFixed(1)} % of a CPU`);
  assert.ok(within < 256 - 32);
  assert.ok(load < 0.05, `it is busy: ${load}`);
  assert.equal(clients.filter(isOpen).length, within);
  assert.deepEqual(clients.filter(one => one.isEnded), [], 'no client is refused');
  assert.ok((await sluice.metric('sluice_accept_pauses_total')) >= 1);
  const warnings = sluice.program.stderr.filter(line => /cannot accept/.test(line));
  assert.ok(warnings.length >= 1 && warnings.length <= 2, 'each worker warns once');
  assert.match(warnings[0], /raise the limit: ulimit -n, LimitNOFILE=/);

  // everything else still works, reconnecting to Redis too
  await sluice.ready();
  await redis.kill();
  await until(async () => (await sluice.admin('/readyz')).status === 503);
  await redis.start();
  await logIn(redis, {}, { id: 'everybody' });
  await sluice.ready();
  assert.equal(await count(), within);

  await until(() => {
    for (const one of clients.filter(isOpen)) one.destroy();
    return clients.every(isOpen);
  }, { what: 'every client has been let in', within: 10000 });
});

test('silent connections make room for those that send a request', async t => {
  const { sluice, cookie } = await stand(t, { limits: { handshake_seconds: 600 } }, { under });
  const silent = await connect(sluice, MANY);
  await until(async () => (await sluice.hits('descriptors')) > 0);
  const browsers = [];
  for (let i = 0; i < 10; i++) browsers.push(await sluice.open({ cookie }));
  assert.ok(browsers.every(one => one.isOpen));
  assert.ok(silent.filter(one => one.isEnded).length > 0);
  assert.equal(await sluice.hits('handshake_seconds'), 0);
});
