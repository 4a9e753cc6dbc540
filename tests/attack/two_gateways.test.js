/* Two gateways on one Redis, one with TLS and one without, on one CPU; everything else is on the other. Strangers of
 * all kinds come at once, for half a minute, while 200 good connections must lose nothing. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomBytes } from 'node:crypto';
import { makeCertificates } from '../support/certificates.js';
import { memoryOf, run } from '../support/program.js';
import { startRedis } from '../support/redis.js';
import { putSession } from '../support/sessions.js';
import { startSluice } from '../support/sluice.js';
import { OwnProcess } from './own_process.js';
import { MIB, TooLate } from './siege.js';
import { Watch } from './watch.js';

const SECONDS = 30;
const GOOD = { count: 100, rate: 10, p99: 50 };
const HELLOS = 2000; // a second
const MADE_UP = 2000; // a second
const HALF_OPEN = 7500; // at each gateway
const HALVES = 250; // at each gateway
const INCOMING = 64 * MIB;
const GROWTH = 128 * MIB;
const SESSIONS = 2;

const REQUEST_HEAD = Buffer.from(`GET /ws HTTP/1.1\r\nX-Slow: ${'x'.repeat(1000)}`);
/* The first 100 bytes of a ClientHello of 512 (RFC 8446 §4.1.2): record, handshake, version, random. */
const HELLO_HEAD = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), randomBytes(89)]);

const CONFIG = {
  workers: 1,
  session: { preset: 'express', signature: 'none', secrets: [] },
  channels: [{ match: 'pulse:*', allow: 'session' }],
  limits: { incoming_bytes: INCOMING },
};

function pinned(pid, cpu) {
  return run('taskset', ['-a', '-p', '-c', String(cpu), String(pid)]);
}

async function logIn(redis, id) {
  await putSession(redis, id, JSON.stringify({ cookie: {}, authenticated: true, userId: id }));
  return `connect.sid=${id}`;
}

/* A gateway with its good connections and its place for attackers. */
async function gateway(t, redis, name, tls) {
  const { certificate, key, authorityText: ca } = tls ?? {};
  const sluice = await startSluice(t, redis.url, { ...CONFIG, ...(tls && { tls: { certificate, key } }) }, {
    under: ['taskset', '-c', '0'] });
  const cookie = await logIn(redis, `good-${name}`);
  const crowd = new OwnProcess(t, new URL('good_crowd.js', import.meta.url), 'beGood', {
    count: GOOD.count, rate: GOOD.rate, channel: `pulse:${name}`, cookie, redisUrl: redis.url, ca,
    url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${sluice.port}/ws` });
  await crowd.ready();
  const memory = memoryOf(sluice.program.pid);
  const launch = (attacker, argument) => new OwnProcess(t, new URL('strangers.js', import.meta.url), attacker, {
    target: sluice.target, cookie, ca, ...argument }, { nice: 19 });
  return { sluice, crowd, memory, launch, name, watch: new Watch(t, sluice.program.pid) };
}

async function attack(t, plain, secure) {
  const halfOpen = [
    plain.launch('stayHalfOpen', { count: HALF_OPEN, rate: 2500, seconds: SECONDS, head: REQUEST_HEAD }),
    secure.launch('stayHalfOpen', { count: HALF_OPEN, rate: 2500, seconds: SECONDS, head: HELLO_HEAD }),
  ];
  const halves = [plain, secure].map(one => one.launch('holdHalves', { count: HALVES, rate: 250, half: 60000 }));
  await Promise.all([...halfOpen, ...halves].map(one => one.ready()));
  const hellos = secure.launch('sayHello', { rate: HELLOS, seconds: SECONDS });
  const madeUp = plain.launch('makeUpSessions', { rate: MADE_UP, seconds: SECONDS });
  const within = (SECONDS + 60) * 1000;
  t.diagnostic(`half-open: ${await Promise.all(halfOpen.map(one => one.result({ within })))} opened`);
  t.diagnostic(`ClientHellos: ${await hellos.result({ within })} sent`);
  t.diagnostic(`made-up sessions: ${JSON.stringify(await madeUp.result({ within }))}; ` +
    `${await plain.sluice.metric('sluice_session_lookups_total{result="missing"}')} of them looked up`);
  t.diagnostic(`halves of messages: ${await Promise.all(halves.map(one => one.stop()))} opened`);
}

function assertServed(t, { name }, { published, expected, received, wrong, closed, delivery, opening }) {
  t.diagnostic(`${name}: ${published} publications; p50 ${delivery.p50.toFixed(1)}, p99 ${delivery.p99.toFixed(1)}, ` +
    `max ${delivery.max.toFixed(1)} ms; opening p50 ${opening.p50.toFixed(1)}, max ${opening.max.toFixed(1)} ms`);
  assert.ok(published > 0);
  assert.deepEqual({ received, wrong, closed }, { received: expected, wrong: 0, closed: 0 });
  if (delivery.p99 >= GOOD.p99) throw new TooLate(`${name}: p99 of delivery ${delivery.p99} ms`);
}

async function siege(t) {
  const redis = await startRedis(t);
  await pinned(redis.pid, 1);
  await pinned(process.pid, 1);
  const plain = await gateway(t, redis, 'plain', null);
  const secure = await gateway(t, redis, 'secure', await makeCertificates(t));
  await attack(t, plain, secure);

  const keys = Number(/^tracking_total_keys:(\d+)/m.exec(await redis.cli('INFO', 'stats'))[1]);
  for (const one of [plain, secure]) {
    assertServed(t, one, await one.crowd.stop());
    const { growth, cpu } = one.watch.end();
    t.diagnostic(`${one.name}: peak +${(growth / MIB).toFixed(1)} MiB, ${cpu.toFixed(2)} s of CPU`);
    assert.ok(growth < GROWTH, `${one.name}: memory grew by ${growth} bytes`);
  }
  assert.ok(keys <= SESSIONS, `Redis tracks ${keys} keys`);
}

test('two gateways, TLS and plain: strangers of all kinds at once cost the good connections nothing', async t => {
  await siege(t).catch(error => {
    if (!(error instanceof TooLate)) throw error;
    t.diagnostic(`${error.message}; trying once more`);
    return siege(t);
  });
});
