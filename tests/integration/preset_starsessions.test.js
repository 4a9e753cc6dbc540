/* Starlette with starsessions. */
import { describe } from 'node:test';
import { file } from '../support/ending.js';
import { testSite, testVisitor } from '../support/presets.js';
import { startPython } from '../support/site.js';

describe('the default names of starsessions', () => {
  testVisitor(testSite({
    session: { preset: 'starsessions' },
    start: redis => startPython(file, 'starsessions_app.py', [], { REDIS_URL: redis.url }),
  }));
});
