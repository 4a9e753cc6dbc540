/* PHP's own sessions, stored in Redis by phpredis. */
import { describe } from 'node:test';
import { file } from '../support/ending.js';
import { testSite, testVisitor } from '../support/presets.js';
import { startPhp } from '../support/site.js';

for (const handler of ['php', 'php_serialize'])
  describe(`session.serialize_handler = ${handler}`, () => {
    testVisitor(testSite({
      session: { preset: 'php' },
      start: redis => startPhp(file, 'native.php', {
        'session.save_handler': 'redis',
        'session.save_path': `tcp://127.0.0.1:${redis.port}`,
        'session.serialize_handler': handler,
      }),
    }));
  });
