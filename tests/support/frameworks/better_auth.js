/* better-auth with its sessions in Redis, where @better-auth/redis-storage puts them. */
import { redisStorage } from '@better-auth/redis-storage';
import { betterAuth } from 'better-auth';
import { memoryAdapter } from 'better-auth/adapters/memory';
import { toNodeHandler } from 'better-auth/node';
import { Redis } from 'ioredis';

export function betterAuthApp(redis, secret, { keyPrefix, baseURL, useSecureCookies }) {
  const client = new Redis(redis.port, '127.0.0.1');
  const auth = betterAuth({
    baseURL, secret,
    database: memoryAdapter({ user: [], session: [], account: [], verification: [] }),
    emailAndPassword: { enabled: true, password: { hash: async word => word, verify: async ({ hash, password }) => hash === password } },
    secondaryStorage: redisStorage({ client, keyPrefix }),
    rateLimit: { enabled: false },
    advanced: { useSecureCookies },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  return { handle: toNodeHandler(auth), close: () => client.quit() };
}
