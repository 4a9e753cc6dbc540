/* Rails with redis-session-store and its JSON serializer. */
import { describe } from 'node:test';
import { file } from '../support/ending.js';
import { testSite, testVisitor } from '../support/presets.js';
import { startRuby } from '../support/site.js';

function testRails(session, prefix) {
  testVisitor(testSite({
    session: { preset: 'rails-json', ...session },
    start: redis => startRuby(file, 'rails_app.rb', { REDIS_URL: redis.url, KEY_PREFIX: prefix }),
  }));
}

describe('keys without a prefix', () => {
  testRails({}, '');
});

describe('keys with a prefix', () => {
  testRails({ key: 'app:session:2::{sid:sha256hex}' }, 'app:session:');
});
