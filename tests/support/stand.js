/* The set-up of most tests: a Redis, a gateway that is ready, and the cookie of a user who is logged in. */
import { startRedis } from './redis.js';
import { logIn } from './sessions.js';
import { startSluice } from './sluice.js';
import { NO_SWEEP } from './visitors.js';

export async function stand(t, config = {}, options = {}) {
  const redis = await startRedis(t);
  const sluice = await startSluice(t, redis.url, config, options);
  const cookie = await logIn(redis);
  return { redis, sluice, cookie };
}

let users = 0;

/* A gateway that is a user of Redis of its own: `acl` changes the user's rights, and `kill` ends its links. */
export async function standAsUser(t, redis, config = {}) {
  const user = `sluice${++users}`;
  const acl = (...rules) => redis.cli('ACL', 'SETUSER', user, ...rules);
  await acl('reset', 'on', '>word', '+@all', 'allkeys', 'allchannels');
  const sluice = await startSluice(t, redis.url.replace('//', `//${user}:word@`), { session: NO_SWEEP, ...config });
  return { sluice, acl, kill: () => redis.cli('CLIENT', 'KILL', 'USER', user) };
}
