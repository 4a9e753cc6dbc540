/* better-auth with its sessions in Redis, not in its database. */
import { describe } from 'node:test';
import { atEnd, file } from '../support/ending.js';
import { betterAuthApp } from '../support/frameworks/better_auth.js';
import { testSite } from '../support/presets.js';
import { serve } from '../support/site.js';

const SECRET = 'a secret of at least 32 characters';

async function logIn(visitor, name) {
  const account = { email: `${name}@example.com`, password: 'password', name };
  const answer = await visitor.post('/api/auth/sign-up/email', account);
  return JSON.parse(answer).user.id;
}

async function whoIs(origin, cookie) {
  const answer = await fetch(`${origin}/api/auth/get-session`, { headers: { Origin: origin, Cookie: cookie } });
  return (await answer.json())?.user.id ?? '';
}

function testBetterAuth(session, options) {
  testSite({
    session: { preset: 'better-auth', secrets: [SECRET], ...session },
    start: redis => {
      const app = betterAuthApp(redis, SECRET, options);
      atEnd(file, app.close);
      return serve(file, app.handle);
    },
    whoIs,
    logIn,
    logOut: visitor => visitor.post('/api/auth/sign-out', {}),
  });
}

describe('keys without a prefix', () => {
  testBetterAuth({}, { keyPrefix: '' });
});

describe('the default prefix of @better-auth/redis-storage', () => {
  testBetterAuth({ key: 'better-auth:{sid}' }, {});
});

describe('the cookie name for https', () => {
  testBetterAuth({}, { keyPrefix: '', useSecureCookies: true });
});
