/* The frame of every attack: 200 good connections, the attack, and what must hold during it and after.
 *
 * Attackers are in processes of their own and give way to the gateway (nice), as in truth they sit on
 * other machines and take none of its CPU. Here all is on one machine, which may do something else for
 * a moment: who serves the good ones too late in one siege has a second one, and that is said. */
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

/* A gateway with nobody on it, and how to be good to it. */
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

/* Starts the attacker `name`; or somebody else of another module, who does not give way. */
function launcher(t, { sluice, cookie }) {
  return (name, argument = {}, { module = 'attackers.js', nice = NICE } = {}) =>
    new OwnProcess(t, new URL(module, import.meta.url), name, { target: sluice.target, cookie, ...argument }, { nice });
}

export class TooLate extends Error {}

function assertGood({ expected, received, wrong, closed, delivery, opening }) {
  assert.ok(expected > 0, 'nothing was published');
  assert.deepEqual({ received, wrong, closed }, { received: expected, wrong: 0, closed: 0 });
  if (delivery.p99 >= P99_DELIVERY) throw new TooLate(`p99 of the good ones' delivery: ${delivery.p99} ms`);
  if (opening.max >= SLOWEST_OPENING) throw new TooLate(`slowest opening of a good one: ${opening.max} ms`);
}

/* Nobody is left, nothing is held, and who comes now is served. */
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

/* One attack: { name, config, growth: MiB and cpu: seconds that it may cost at most,
 * secure: on the TLS port, attack(place): what was done }. Gives the figures for the results. */
export async function siege(t, one, certificates) {
  const { name, config = {}, growth: allowed = 16, cpu: affordable = 3, secure, attack } = one;
  const place = await prepare(t, config, secure && certificates);
  const { sluice, good, before } = place;
  before.memory = memoryOf(sluice.program.pid);
  const watch = new Watch(t, sluice.program.pid);
  const done = await attack({ ...place, launch: launcher(t, place) });
  await delay(AFTERMATH);
  const { growth, cpu } = watch.end();
  const figures = await good.stop();
  const { delivery, opening } = figures;
  t.diagnostic(`${name}: ${done}; good ones: p50 ${delivery.p50.toFixed(1)}, p99 ${delivery.p99.toFixed(1)}, ` +
    `max ${delivery.max.toFixed(1)} ms, opening p99 ${opening.p99.toFixed(1)}, max ${opening.max.toFixed(1)} ms; ` +
    `gateway: peak +${(growth / MIB).toFixed(1)} MiB, ${cpu.toFixed(2)} s of CPU`);
  assertGood(figures);
  assert.ok(growth < allowed * MIB, `grown by ${growth} bytes`);
  assert.ok(cpu < affordable, `${cpu} s of CPU`);
  await assertRecovered(place, secure && certificates);
  return { p99: delivery.p99, growth, allowed, cpu };
}
