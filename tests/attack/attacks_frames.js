/* Attacks by clients that are logged in. */
import assert from 'node:assert/strict';
import { OPCODE, frame } from '../support/raw_client.js';
import { until } from '../support/wait.js';
import { MIB } from './siege.js';
import { descriptorsOf, largest } from './watch.js';

const mask = Buffer.from([1, 2, 3, 4]);
const repeated = (n, opcode, payload, options) =>
  Buffer.concat(Array(n).fill(frame(opcode, payload, { mask, ...options })));

export const PINGS = repeated(1000, OPCODE.ping, Buffer.alloc(125));
export const FRAGMENTS = repeated(1000, OPCODE.continuation, 'x', { fin: false });
export const FIRST = frame(OPCODE.text, 'x', { fin: false, mask });
const FRAMES = repeated(1000, OPCODE.text, 'x');
const MESSAGE = frame(OPCODE.text, 'x'.repeat(60000), { mask });
const UNMASKED = frame(OPCODE.text, 'x', { mask: null });
/* 50 MB a second, for four seconds. */
export const BROADCAST = { channel: 'flood', size: 64 * 1024, rate: 800, seconds: 4 };
const ENDLESS = Buffer.from([0x01, 0xff, 0x3f, 255, 255, 255, 255, 255, 255, 255, ...mask]);

const closes = (sluice, code) => sluice.metric(`sluice_closes_total{code="${code}"}`);

export const attacks = [
  {
    name: 'a million pings on 10 connections that read no pongs',
    config: { limits: { frames_per_second: 0 } },
    async attack({ launch, sluice }) {
      const flood = launch('flood', { count: 10, rate: 100, bytes: PINGS, times: 100 });
      const { worst, result } = await largest(sluice, 'sluice_queued_bytes', flood.result());
      assert.ok(result.sent >= 1000 * PINGS.length, `${result.sent} bytes of pings were taken`);
      assert.ok(worst < 128 * 1024, `${worst} bytes of pongs waited`);
      return `${(result.sent / MIB).toFixed(0)} MiB taken, at most ${worst} bytes queued`;
    },
  },
  {
    name: '500 connections that send fragments of one byte',
    config: { limits: { frames_per_second: 0 } },
    async attack({ launch, sluice }) {
      const fragments = { first: FIRST, bytes: FRAGMENTS, times: 131 };
      await launch('flood', { count: 500, rate: 1000, failed: true, ...fragments }).result();
      assert.equal(await closes(sluice, 1008), 500);
      return 'all closed with 1008';
    },
  },
  {
    name: 'a million frames on 500 connections',
    async attack({ launch, sluice }) {
      await launch('flood', { count: 500, rate: 1000, bytes: FRAMES, times: 2, failed: true }).result();
      assert.equal(await closes(sluice, 1008), 500);
      return 'all closed with 1008';
    },
  },
  {
    name: '2,400 messages of 60,000 bytes on 12 connections',
    growth: 8,
    async attack({ launch }) {
      const { sent } = await launch('flood', { count: 12, rate: 100, bytes: MESSAGE, times: 200 }).result();
      assert.ok(sent >= 12 * 200 * MESSAGE.length, `${sent} bytes were taken`);
      return `${(sent / MIB).toFixed(0)} MiB taken and dropped`;
    },
  },
  {
    name: '2,000 connections that announce a message of 4 EiB',
    async attack({ launch, sluice }) {
      await launch('flood', { count: 2000, rate: 1000, bytes: ENDLESS, failed: true }).result();
      assert.equal(await closes(sluice, 1009), 2000);
      return 'all closed with 1009';
    },
  },
  {
    name: '1,000 connections that break the protocol and never end their side',
    async attack({ launch, sluice }) {
      const before = descriptorsOf(sluice.program.pid);
      const attackers = launch('ignoreClose', { count: 1000, rate: 1000, bytes: UNMASKED });
      await attackers.ready();
      await until(() => descriptorsOf(sluice.program.pid) <= before + 2, { what: 'their descriptors are closed' });
      await attackers.stop();
      return 'all descriptors closed while the attackers kept theirs';
    },
  },
  {
    name: '2,000 connections that never read, under a broadcast of 50 MB a second',
    config: { limits: { queue_bytes: 32 * MIB, buffered_bytes: 64 * MIB } },
    growth: 96,
    async attack({ launch, sluice, redis }) {
      const attackers = launch('neverRead', { count: 2000, rate: 2000, channel: BROADCAST.channel });
      await attackers.ready();
      const reader = launch('broadcast', { url: sluice.url, redisUrl: redis.url, ...BROADCAST }, {
        module: 'broadcast.js', nice: 0 });
      const { worst, result } = await largest(sluice, 'sluice_buffered_bytes', reader.result());
      await attackers.stop();
      const { published, received, wrong, closed } = result;
      assert.deepEqual({ received, wrong, closed }, { received: published, wrong: 0, closed: 0 });
      return `${await sluice.metric('sluice_slow_consumers_total')} closed as slow consumers, ` +
        `at most ${(worst / MIB).toFixed(0)} MiB buffered; a client that reads got all ${published}`;
    },
  },
];
