/* All at once: attackers do not take turns. */
import assert from 'node:assert/strict';
import { MESSAGES } from './attacks_compressed.js';
import { BROADCAST, FIRST, FRAGMENTS, PINGS } from './attacks_frames.js';
import { FLOODS, SMUGGLING } from './attacks_requests.js';
import { MIB } from './siege.js';

export const attacks = [
  {
    name: 'all at once: slowloris, header floods, smuggling, pings, fragments, bombs, 2,000 that never read',
    config: {
      compression: { enabled: true },
      limits: { queue_bytes: 32 * MIB, buffered_bytes: 64 * MIB } },
    growth: 128,
    cpu: 10,
    async attack({ launch, sluice, redis }) {
      const deaf = launch('neverRead', { count: 2000, rate: 1000, channel: BROADCAST.channel });
      await deaf.ready();
      const reader = launch('broadcast', { url: sluice.url, redisUrl: redis.url, ...BROADCAST }, {
        module: 'broadcast.js', nice: 0 });
      const others = [
        launch('holdRequests', { count: 5000, rate: 2500, seconds: 3, head: 'GET /ws HTTP/1.1\r\nX-Slow: ' }),
        launch('request', { requests: [...FLOODS, ...SMUGGLING], count: 1900, rate: 475 }),
        launch('flood', { count: 200, rate: 50, bytes: PINGS, times: 5 }),
        launch('flood', { count: 500, rate: 125, first: FIRST, bytes: FRAGMENTS, times: 131 }),
        launch('bomb', { count: 200, rounds: 4, messages: MESSAGES }),
      ];
      await Promise.all(others.map(one => one.result()));
      const { published, received, wrong, closed } = await reader.result();
      await deaf.stop();
      assert.deepEqual({ received, wrong, closed }, { received: published, wrong: 0, closed: 0 });
      const closes = code => sluice.metric(`sluice_closes_total{code="${code}"}`);
      return `closed with 1008: ${await closes(1008)}, 1009: ${await closes(1009)}, 1013: ${await closes(1013)}`;
    },
  },
];
