/* Attacks on the opening handshake. */
import assert from 'node:assert/strict';
import { setTimeout as delay } from 'node:timers/promises';
import { handshake } from '../support/raw_client.js';
import { cookieFor } from '../support/sessions.js';
import { until } from '../support/wait.js';
import { descriptorsOf } from './watch.js';

const KIB = 1024;
const SHORT = { limits: { handshake_seconds: 2 } };

const headers = (n, line) => `GET /ws HTTP/1.1\r\n${Array.from({ length: n }, (_, i) => line(i)).join('')}\r\n`;

export const FLOODS = [
  headers(10000, i => `X-${i}: 1\r\n`),
  headers(10000, () => 'Cookie: a=1\r\n'),
  headers(1, () => `X-Long: ${'x'.repeat(1024 * KIB)}\r\n`),
  headers(1, () => `Cookie: ${Array.from({ length: 10000 }, (_, i) => `c${i}=1`).join('; ')}\r\n`),
  `GET /ws?${'x'.repeat(1024 * KIB)} HTTP/1.1\r\n\r\n`,
  headers(65, () => 'a:\r\n'),
];

const good = headersBeside => handshake({ headers: headersBeside });
const inserted = text => good({}).replace('\r\n\r\n', `\r\n${text}\r\n\r\n`);
export const SMUGGLING = [
  inserted('X-Abc:\rTransfer-Encoding: chunked'),
  inserted('X-Abc: a\nTransfer-Encoding: chunked'),
  inserted('X-Abc: a\r\n Transfer-Encoding: chunked'),
  inserted('X-Abc : a'),
  inserted('X-Abc: a\0b'),
  inserted('Host: other.test'),
  inserted('Content-Length: 5'),
  inserted('Content-Length: 5\r\nTransfer-Encoding: chunked'),
  inserted('Transfer-Encoding: chunked'),
  inserted('Content-Length: +0'),
  good({}).replace('\r\n\r\n', '\r\n\rX\r\n\r\n'),
  good({}).replaceAll('\r\n', '\n'),
  good({}).replaceAll('\r\n', '\r'),
];

const forged = i => cookieFor(`forged${i}`, { secret: 'guessed' });
const unknown = i => cookieFor(`unknown${String(i).padStart(20, '0')}`);
const requestsWith = (n, cookie) => Array.from({ length: n }, (_, i) => handshake({ headers: { Cookie: cookie(i) } }));

const refusals = (sluice, status) => sluice.metric(`sluice_upgrades_refused_total{status="${status}"}`);
const listed = counts => Object.entries(counts).map(([status, n]) => `${n} x ${status}`).join(', ');

/* There are no more descriptors than before the attack, although the attackers keep theirs open. */
async function assertClosed(sluice, descriptors, within) {
  await until(() => descriptorsOf(sluice.program.pid) <= descriptors + 2, { what: 'their descriptors are closed', within });
}

export const attacks = [
  {
    name: 'no attack, for comparison',
    growth: 2,
    cpu: 1,
    async attack() {
      await delay(2000);
      return 'two seconds';
    },
  },
  {
    name: 'slowloris: 5,000 sockets, a byte a second each',
    config: SHORT,
    growth: 24,
    async attack({ launch, sluice }) {
      const { opened, held } = await launch('holdRequests', {
        count: 5000, rate: 5000, seconds: 3, head: 'GET /ws HTTP/1.1\r\nX-Slow: ' }).result();
      const refused = await refusals(sluice, 408);
      assert.ok(refused >= 4000, `${refused} got 408`);
      return `${opened} opened, ${held} open at the end, ${refused} got 408`;
    },
  },
  {
    name: 'slowloris: 5,000 sockets that start with 7 KiB of a header',
    config: SHORT,
    growth: 96,
    async attack({ launch, sluice }) {
      const head = `GET /ws HTTP/1.1\r\nX-Slow: ${'x'.repeat(7 * KIB)}`;
      const { opened } = await launch('holdRequests', { count: 5000, rate: 5000, seconds: 2, head }).result();
      return `${opened} opened, ${await refusals(sluice, 408)} got 408`;
    },
  },
  {
    name: 'slowloris: 5,000 sockets that send nothing',
    config: SHORT,
    growth: 24,
    async attack({ launch }) {
      const { opened, held } = await launch('holdRequests', { count: 5000, rate: 5000, seconds: 2 }).result();
      assert.ok(opened > 8000, `${opened} opened: the first were not closed`);
      return `${opened} opened, ${held} open at the end`;
    },
  },
  {
    name: 'slowloris: 5,000 sockets from one address',
    config: { limits: { handshake_seconds: 10, half_open_per_ip: 1024 } },
    async attack({ launch, sluice }) {
      const attackers = launch('holdRequests', {
        count: 5000, rate: 5000, seconds: 3, head: 'GET /ws HTTP/1.1\r\nX-Slow: ', addresses: 1, again: false });
      const { held } = await attackers.result();
      assert.ok(held <= 1024, `${held} were open`);
      return `${held} open, ${await sluice.metric('sluice_limit_hits_total{limit="half_open_per_ip"}')} closed`;
    },
  },
  {
    name: '5,000 sockets that end only their own side',
    config: SHORT,
    async attack({ launch, sluice }) {
      const descriptors = descriptorsOf(sluice.program.pid);
      const requests = ['', 'GET /ws HT', handshake(), '\0', handshake({ target: '/elsewhere' })];
      const attackers = launch('endOneSide', { count: 5000, rate: 5000, requests });
      await attackers.ready();
      await assertClosed(sluice, descriptors, 5000);
      await attackers.stop();
      return 'all descriptors closed while the attackers kept theirs';
    },
  },
  {
    name: '20,000 sockets that are reset, half of them after a valid request',
    async attack({ launch, cookie }) {
      await launch('reset', { count: 20000, rate: 8000, requests: ['', good({ Cookie: cookie })] }).result({});
      return '20000 reset';
    },
  },
  {
    name: 'header floods: 10,000 headers, 10,000 cookies, 1 MiB in one header, 1 MiB in the request line',
    cpu: 1,
    async attack({ launch, sluice }) {
      const counts = await launch('request', { requests: FLOODS, count: 600, rate: 300 }).result();
      assert.deepEqual(counts, { 431: 600 });
      return listed(counts);
    },
  },
  {
    name: 'request smuggling: bare CR and LF, folded lines, NUL, two Hosts, bodies',
    async attack({ launch }) {
      const counts = await launch('request', { requests: SMUGGLING, count: 5200, rate: 2600 }).result();
      assert.deepEqual(counts, { 400: 5200 });
      return listed(counts);
    },
  },
  {
    name: '5,000 handshakes with forged cookies: not one read of Redis',
    async attack({ launch, redis }) {
      const requests = requestsWith(1000, forged);
      const counts = await launch('request', { requests, count: 5000, rate: 2500 }).result();
      assert.deepEqual(counts, { 401: 5000 });
      const [, misses] = /^keyspace_misses:(\d+)/m.exec(await redis.cli('INFO', 'stats'));
      assert.ok(misses < 100, `${misses} reads`); // those of the gateway's probes, one a second and worker
      return listed(counts);
    },
  },
  {
    name: '5,000 handshakes with signed cookies of sessions that do not exist',
    async attack({ launch, redis }) {
      const counts = await launch('request', { requests: requestsWith(5000, unknown), rate: 2500 }).result();
      assert.deepEqual(counts, { 401: 5000 });
      return listed(counts);
    },
  },
  {
    name: '5,000 sockets of random bytes',
    async attack({ launch }) {
      const counts = await launch('sendGarbage', { count: 5000, rate: 2500, size: 4 * KIB }).result();
      assert.equal(counts[101], undefined);
      return listed(counts);
    },
  },
  {
    name: '50,000 handshakes pipelined on 10 sockets',
    async attack({ launch, sluice, cookie }) {
      const requests = [good({ Cookie: cookie }).repeat(5000)];
      const counts = await launch('request', { requests, count: 10, rate: 1000 }).result();
      assert.deepEqual(counts, { 101: 10 });
      return listed(counts);
    },
  },
];
