/* The echo that the cases use. It refuses limits that it does not know, as it could not keep them. */
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { run } from './conversation.js';

let sluice;
before(async () => {
  const redis = await startRedis(file);
  sluice = await startSluice(file, redis.url);
});

describe('the echo refuses a limit that it cannot keep', () => {
  for (const query of ['message_bytes=16777217', 'message_bytes=x', 'message_bytes=', 'fragments=65537', 'frames_per_second=x', 'unknown=1', ''])
    test(`?${query}`, () => run({ steps: [], back: [], status: 400, target: `/echo?${query}` }, { port: sluice.port }));
});
