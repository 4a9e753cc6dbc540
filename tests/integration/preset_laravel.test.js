/* Laravel's sessions in Redis, its encrypted cookie, and its guard. */
import { describe } from 'node:test';
import { file } from '../support/ending.js';
import { testSite, testVisitor } from '../support/presets.js';
import { startPhp } from '../support/site.js';

const APP_KEY = 'base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=';
const USER = 'login_web_59ba36addc2b2f9401580f014c7f58ea4e30989d';

function testLaravel(session, names) {
  testVisitor(testSite({
    session: { preset: 'laravel', secrets: [APP_KEY], ...session },
    user: USER,
    start: redis => startPhp(file, 'laravel.php', {}, { APP_KEY, REDIS_PORT: redis.port, ...names }),
  }));
}

/* Laravel 10 and earlier put a colon after the cache's prefix; 11 does not. With the whole prefix in
 * REDIS_PREFIX the keys are those of 11. */
describe('the names of Laravel 11 and 12', () => {
  testLaravel({}, {
    SESSION_COOKIE: 'laravel_session', REDIS_PREFIX: 'laravel_database_laravel_cache_', CACHE_PREFIX: '' });
});

describe('the names of applications created since June 2025', () => {
  testLaravel({ cookie: 'laravel-session', key: 'laravel-database-laravel-cache-{sid}' }, {
    SESSION_COOKIE: 'laravel-session', REDIS_PREFIX: 'laravel-database-laravel-cache-', CACHE_PREFIX: '' });
});

describe('the names of Laravel 10 and earlier', () => {
  testLaravel({ cookie: 'laravel_session', key: 'laravel_database_laravel_cache:{sid}' }, {
    SESSION_COOKIE: 'laravel_session', REDIS_PREFIX: 'laravel_database_', CACHE_PREFIX: 'laravel_cache' });
});
