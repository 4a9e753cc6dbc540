/* Django with django-redis, its JSON serializer, and Django's own users. */
import { describe } from 'node:test';
import { file } from '../support/ending.js';
import { testSite, testVisitor } from '../support/presets.js';
import { startPython } from '../support/site.js';

function testDjango(engine, session) {
  testVisitor(testSite({
    session: { preset: 'django-json', ...session },
    start: redis => startPython(file, 'django_app.py', [engine], { REDIS_URL: redis.url }),
    logIn: (visitor, name) => visitor.post(`/login?user=${name}`),
  }));
}

describe('sessions in the cache', () => {
  testDjango('cache', {});
});

describe('sessions in the cache and in the database', () => {
  testDjango('cached_db', { key: ':1:django.contrib.sessions.cached_db{sid}' });
});
