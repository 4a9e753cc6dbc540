/* The frame of every attack: 200 good connections, the attack, and what must hold during and after it.
 *
 * Attackers are processes of their own with the lowest priority, because real attackers are on other machines
 * and take none of the gateway's CPU. Here everything is on one machine, which may be busy with something else
 * for a moment: an attack during which the good connections were served too late is tried once more. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { Browser } from '../support/browser.js';
import { memoryOf } from '../support/program.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';
import { CHANNEL } from './good_crowd.js';
import { OwnProcess } from './own_process.js';
import { Watch, descriptorsOf } from './watch.js';

export const MIB = 1 << 20;
const GOOD = 200;

const P99_DELIVERY = 100;
const SLOWEST_OPENING = 1000;
const LEFT_BEHIND = 8 * MIB;
const NICE = 19;
const AFTERMATH = 300;

const CHANNELS = [
  { match: CHANNEL, allow: 'session' },
  { match: 'flood', allow: 'session' },
];

/* Starts a gateway and its good connections. */
async function prepare(t, config, certificates) {
  const tls = certificates && { certificate: certificates.certificate, key: certificates.key };
  const place = await stand(t, { channels: CHANNELS, ...(tls && { tls }), ...config });
  const { sluice, redis, cookie } = place;
  const before = { descriptors: descriptorsOf(sluice.program.pid) };
  const good = new OwnProcess(t, new URL('good_crowd.js', import.meta.url), 'beGood', {
    count: GOOD, cookie, redisUrl: redis.url, ca: certificates?.authorityText,
    url: `${tls ? 'wss' : 'ws'}://127.0.0.1:${sluice.port}/ws` });
  await good.ready();
  return { ...place, before, good };
}

/* Gives a function that starts an attacker, by the name of its function; or another process, of another module. */
function launcher(t, { sluice, cookie }) {
  return (name, argument = {}, { module = 'attackers.js', nice = NICE } = {}) =>
    new OwnProcess(t, new URL(module, import.meta.url), name, { target: sluice.target, cookie, ...argument }, { nice });
}

export class TooLate extends Error {}

function assertGood({ expected, received, wrong, closed, delivery, opening }) {
  assert.ok(expected > 0, 'nothing was published');
  assert.deepEqual({ received, wrong, closed }, { received: expected, wrong: 0, closed: 0 });
  if (delivery.p99 >= P99_DELIVERY) throw new TooLate(`good connections: p99 of delivery ${delivery.p99} ms`);
  if (opening.max >= SLOWEST_OPENING) throw new TooLate(`good connections: slowest opening ${opening.max} ms`);
}

/* No connection is left, nothing is buffered, and a new client is served. */
async function assertRecovered({ redis, sluice, cookie, before }, certificates) {
  const { pid } = sluice.program;
  await until(() => descriptorsOf(pid) <= before.descriptors, {
    what: 'no more descriptors than before', within: 10000 });
  await until(async () => {
    assert.equal(await sluice.metric('sluice_connections'), 0);
    assert.equal(await sluice.metric('sluice_queued_bytes'), 0);
    return true;
  }, { what: 'nothing is left of the attack' });
  const left = memoryOf(pid) - before.memory;
  assert.ok(left < LEFT_BEHIND, `${left} bytes of memory are left of the attack`);
  assert.doesNotMatch(sluice.log, /^\S+ error /m);
  const url = `${certificates ? 'wss' : 'ws'}://127.0.0.1:${sluice.port}/ws?channel=${CHANNEL}`;
  const browser = await Browser.open(url, { cookie, ca: certificates?.authorityText, servername: 'localhost' });
  await redis.cli('PUBLISH', CHANNEL, 'alive');
  assert.equal(await browser.next(), 'alive');
  browser.terminate();
}

/* Runs one attack, and returns its figures. An attack is { name, config, growth, cpu, secure, attack }: it may
 * cost at most `growth` MiB and `cpu` seconds, `secure` puts it on the TLS port, and attack(place) gives a
 * string that says what was done. */
export async function siege(t, one, certificates) {
  const { name, config = {}, growth: allowed = 16, cpu: affordable = 3, secure, attack } = one;
  const place = await prepare(t, config, secure && certificates);
  const { sluice, good, before } = place;
  before.memory = memoryOf(sluice.program.pid);
  const watch = new Watch(t, sluice.program.pid);
  const done = await attack({ ...place, certificates, launch: launcher(t, place) });
  await delay(AFTERMATH);
  const { growth, cpu } = watch.end();
  const figures = await good.stop();
  const { delivery, opening } = figures;
  t.diagnostic(`${name}: ${done}; good connections: p50 ${delivery.p50.toFixed(1)}, p99 ${delivery.p99.toFixed(1)}, ` +
    `max ${delivery.max.toFixed(1)} ms, opening p99 ${opening.p99.toFixed(1)}, max ${opening.max.toFixed(1)} ms; ` +
    `gateway: peak +${(growth / MIB).toFixed(1)} MiB, ${cpu.toFixed(2)} s of CPU`);
  assertGood(figures);
  assert.ok(growth < allowed * MIB, `memory grew by ${growth} bytes`);
  assert.ok(cpu < affordable, `${cpu} s of CPU`);
  await assertRecovered(place, secure && certificates);
  return { p99: delivery.p99, growth, allowed, cpu };
}
