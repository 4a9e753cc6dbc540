/* The set-up of most tests: a Redis, a gateway that is ready, and the cookie of a user who is logged in. */
import { startRedis } from './redis.js';
import { logIn } from './sessions.js';
import { startSluice } from './sluice.js';

export async function stand(t, config = {}, options = {}) {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url, config, options);
  const cookie = await logIn(redis);
  return { redis, sluice, cookie };
}
