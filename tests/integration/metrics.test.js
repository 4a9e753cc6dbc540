/* The admin port: livez, readyz, and the names and values of /metrics. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { readdirSync } from 'node:fs';
import { before, test } from 'node:test';
import { file } from '../support/ending.js';
import { RawClient, handshake } from '../support/raw_client.js';
import { listen } from '../support/serving.js';
import { logIn } from '../support/sessions.js';
import { runSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

let redis, sluice, cookie;
before(async () => {
  ({ redis, sluice, cookie } = await stand(file));
});

const NAMES = [
  'sluice_connections', 'sluice_connections_total', 'sluice_upgrades_refused_total{status="401"}',
  'sluice_closes_total{code="1000"}', 'sluice_channels', 'sluice_channels_refused', 'sluice_session_watch{mode="redirect"}',
  'sluice_subscriptions',
  'sluice_publications_total', 'sluice_deliveries_total', 'sluice_delivered_bytes_total',
  'sluice_slow_consumers_total', 'sluice_heartbeat_terminations_total',
  'sluice_session_lookups_total{result="good"}', 'sluice_redis_link_up{worker="0",link="command"}',
  'sluice_redis_link_up{worker="1",link="subscribe"}', 'sluice_redis_reconnects_total{link="command"}',
  'sluice_feed_restarts_total{reason="lag"}', 'sluice_feed_lag_seconds', 'sluice_probe_enabled',
  'sluice_beats_dropped_total',
  'sluice_redis_round_trip_seconds_count', 'sluice_redis_round_trip_seconds_bucket{le="+Inf"}',
  'sluice_loop_turn_seconds_sum', 'sluice_queued_bytes', 'sluice_buffered_bytes', 'sluice_incoming_bytes',
  'sluice_accept_pauses_total', 'sluice_tls_handshakes_total{kind="full"}',
  'sluice_tls_handshakes_total{kind="resumed"}', 'sluice_tls_handshakes_total{kind="failed"}', ...[
    'header_bytes', 'handshake_seconds', 'half_open_per_ip', 'connections', 'connections_per_ip',
    'connections_per_user', 'upgrades_per_second', 'tls_handshakes_per_second', 'message_bytes', 'fragments',
    'frames_per_second', 'queue_bytes', 'buffered_bytes', 'incoming_bytes', 'message_seconds', 'channels', 'process_channels',
    'publication_bytes', 'descriptors',
  ].map(limit => `sluice_limit_hits_total{limit="${limit}"}`), 'sluice_build_info{version="0.1.0"}',
];

test('/metrics is in Prometheus\' text format, with every documented name', async () => {
  const { status, headers, body } = await sluice.admin('/metrics');
  assert.equal(status, 200);
  assert.match(headers['content-type'], /^text\/plain; version=0\.0\.4/);
  const series = body.split('\n').filter(line => line && !line.startsWith('#'));
  for (const line of series) assert.match(line, /^[a-z_]+(\{[a-z]+="[^"]*"(,[a-z]+="[^"]*")*\})? [-+.\deE]+$/);
  const names = new Set(series.map(line => line.slice(0, line.lastIndexOf(' '))));
  assert.deepEqual(NAMES.filter(name => !names.has(name)), []);
  assert.equal(names.size, series.length, 'each series once');
});

test('silent connections to the admin port shut out no probe, and take no descriptors from Redis', async t => {
  const SILENT = 100;
  const own = await stand(t, { workers: 1 }, { under: ['prlimit', '--nofile=96:96'] });
  const open = () => readdirSync(`/proc/${own.sluice.program.pid}/fd`).length;
  const before = open();
  const silent = await Promise.all(Array.from({ length: SILENT }, () =>
    RawClient.connect({ host: '127.0.0.1', port: own.sluice.adminPort })));
  t.after(() => silent.forEach(one => one.destroy()));
  assert.equal((await own.sluice.admin('/livez')).status, 200);
  assert.ok(open() <= before + 16, `${open()} descriptors, ${before} before`);
  await own.redis.kill();
  await until(async () => (await own.sluice.admin('/readyz')).status === 503);
  await own.redis.start();
  await own.sluice.ready();
  await Promise.all(silent.map(one => one.ended()));
});

test('each family has one TYPE line, before its series', async () => {
  const { body } = await sluice.admin('/metrics');
  const types = [...body.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(match => match[1]);
  assert.equal(new Set(types).size, types.length);
  let family = '';
  for (const line of body.split('\n').filter(Boolean)) {
    if (line.startsWith('# TYPE ')) family = line.split(' ')[2];
    else if (!line.startsWith('#')) assert.ok(line.startsWith(family), `${line} under ${family}`);
  }
});

test('the values follow connections, publications and look-ups', async () => {
  const at = async () => ({
    open: await sluice.metric('sluice_connections'),
    opened: await sluice.metric('sluice_connections_total'),
    published: await sluice.metric('sluice_publications_total'),
    delivered: await sluice.metric('sluice_deliveries_total'),
    subscriptions: await sluice.metric('sluice_subscriptions'),
    good: await sluice.metric('sluice_session_lookups_total{result="good"}')
      + await sluice.metric('sluice_session_lookups_total{result="shared"}'),
  });
  const before = await at();
  const browsers = [];
  for (let i = 0; i < 3; i++) browsers.push(await sluice.open({ cookie }));
  await redis.cli('PUBLISH', 'news', 'counted');
  for (const browser of browsers) await browser.next();
  const after = await at();
  assert.deepEqual(after, {
    open: before.open + 3, opened: before.opened + 3, published: before.published + 1,
    delivered: before.delivered + 3, subscriptions: before.subscriptions + 6, good: before.good + 3 });
  for (const browser of browsers) await browser.close(1000);
  await sluice.reaches('sluice_connections', before.open);
  await sluice.reaches('sluice_subscriptions', before.subscriptions);
});

test('sluice_queued_bytes grows with a client that does not read, and is 0 after it has left', async () => {
  const queued = () => sluice.metric('sluice_queued_bytes');
  const publisher = await redis.client();
  await until(async () => (await queued()) === 0);
  const deaf = await sluice.connect();
  await deaf.open({ cookie });
  deaf.socket.pause();
  await until(async () => {
    await publisher.publish('news', 'x'.repeat(64 << 10));
    return (await queued()) > 200000;
  }, { what: 'the queue grows', within: 20000 });
  deaf.destroy();
  await until(async () => (await queued()) === 0, { what: 'the queue is empty' });
});

test('no label holds a channel, a user or an address', async () => {
  const canary = await logIn(redis, { userId: 'canary-user', teams: ['canary-team'] });
  const browser = await sluice.open({ cookie: canary });
  await redis.cli('PUBLISH', 'user:canary-user', 'x');
  await browser.next();
  const { body } = await sluice.admin('/metrics');
  assert.doesNotMatch(body, /canary|127\.0\.0\.1|news/);
  browser.terminate();
});

test('/livez and /readyz answer 200, other paths 404, other methods 405', async () => {
  assert.equal((await sluice.admin('/livez')).status, 200);
  assert.equal((await sluice.admin('/readyz')).status, 200);
  assert.equal((await sluice.admin('/')).status, 404);
  assert.equal((await sluice.admin('/metrics/x')).status, 404);
  assert.ok([404, 405].includes((await sluice.admin('/livez', { method: 'POST' })).status));
});

test('the admin port serves no WebSocket, and the public port no metrics', async () => {
  const client = await sluice.connect();
  client.write(handshake({ target: '/metrics' }));
  assert.equal((await client.answer()).status, 404);
  client.destroy();
  assert.equal((await sluice.admin('/ws')).status, 404);
});

test('--probe exits with 0 after an answer 200, else with 1', async () => {
  const probe = async path => (await runSluice(['--probe', `http://127.0.0.1:${sluice.adminPort}${path}`])).status;
  assert.equal(await probe('/readyz'), 0);
  assert.equal(await probe('/nowhere'), 1);
  assert.equal((await runSluice(['--probe', 'http://127.0.0.1:1/livez'])).status, 1);
});

test('--probe requests / for a URL without a path', async t => {
  const asked = [];
  const server = createServer((request, answer) => {
    asked.push(request.url);
    answer.end();
  });
  const { status, stderr } = await runSluice(['--probe', `http://127.0.0.1:${await listen(t, server)}`]);
  assert.equal(status, 0, stderr);
  assert.equal(stderr, '');
  assert.deepEqual(asked, ['/']);
});
