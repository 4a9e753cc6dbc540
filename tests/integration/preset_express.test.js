/* express-session with connect-redis, and with Passport. */
import { describe } from 'node:test';
import { file } from '../support/ending.js';
import { expressApp, passportApp } from '../support/frameworks/express.js';
import { testSite, testVisitor } from '../support/presets.js';
import { SECRET } from '../support/sessions.js';
import { serve } from '../support/site.js';

describe('express-session', () => {
  testVisitor(testSite({
    session: { preset: 'express', secrets: [SECRET] },
    start: async redis => serve(file, expressApp(await redis.client(), SECRET)),
  }));
});

describe('Passport', () => {
  testVisitor(testSite({
    session: { preset: 'passport', secrets: [SECRET] },
    start: async redis => serve(file, passportApp(await redis.client(), SECRET)),
  }));
});
