/* Attacks on the TLS port. The good connections use it too. */
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { handshake } from '../support/raw_client.js';
import { TooLate } from './siege.js';

/* The first 100 bytes of a ClientHello of 512 (RFC 8446 §4.1.2): record, handshake, version, random. */
const PARTIAL_HELLO = Buffer.concat([Buffer.from('1603010200010001fc0303', 'hex'), randomBytes(89)]);

const PING_P99 = 100; // on an idle machine it is below 20

export const attacks = [
  {
    name: 'TLS: 2,000 ClientHellos a second to one worker, which answers pings meanwhile',
    secure: true,
    config: { workers: 1 },
    growth: 128,
    cpu: 15,
    async attack({ launch, sluice, certificates }) {
      const pinger = launch('ping', { url: sluice.secureUrl, ca: certificates.authorityText }, {
        module: 'good_crowd.js', nice: 0 });
      await pinger.ready();
      const sent = await launch('sayHello', { rate: 2000, seconds: 5 }, { module: 'strangers.js' }).result();
      const { pongs, p50, p99, max } = await pinger.stop();
      assert.ok(pongs > 100, `${pongs} pings were answered`);
      if (p99 > PING_P99) throw new TooLate(`p99 of ${pongs} pings ${p99} ms`);
      return `${sent} sent; pings: p50 ${p50.toFixed(1)}, p99 ${p99.toFixed(1)}, max ${max.toFixed(1)} ms`;
    },
  },
  {
    name: 'TLS: 2,000 sockets that stop in the middle of their ClientHello',
    secure: true,
    config: { limits: { handshake_seconds: 2 } },
    growth: 128,
    async attack({ launch }) {
      const { opened, held } = await launch('holdRequests', {
        count: 2000, rate: 2000, seconds: 3, head: PARTIAL_HELLO }).result();
      assert.ok(opened > 3500, `${opened} opened: the first were not closed`);
      return `${opened} opened, ${held} open at the end`;
    },
  },
  {
    name: 'TLS: 5,000 sockets of random bytes',
    secure: true,
    growth: 128,
    async attack({ launch }) {
      const counts = await launch('sendGarbage', { count: 5000, rate: 2500, size: 4096 }).result();
      assert.deepEqual(counts, { 0: 5000 });
      return '5000 closed';
    },
  },
  {
    name: 'TLS: 5,000 WebSocket handshakes without TLS',
    secure: true,
    growth: 128,
    async attack({ launch, cookie }) {
      const requests = [handshake({ headers: { Cookie: cookie } })];
      const counts = await launch('request', { requests, count: 5000, rate: 2500 }).result();
      assert.deepEqual(counts, { 0: 5000 });
      return '5000 closed';
    },
  },
];
