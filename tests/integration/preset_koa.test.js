/* Koa with koa-session, and with koa-generic-session. */
import { describe } from 'node:test';
import { atEnd, file } from '../support/ending.js';
import { koaApp, koaGenericApp } from '../support/frameworks/koa.js';
import { testSite, testVisitor } from '../support/presets.js';
import { serve } from '../support/site.js';

const SECRET = 'koa-key';

describe('koa-session', () => {
  testVisitor(testSite({
    session: { preset: 'koa', secrets: [SECRET] },
    start: async redis => serve(file, koaApp(await redis.client(), SECRET)),
  }));
});

describe('koa-session with a prefix', () => {
  testSite({
    session: { preset: 'koa', secrets: [SECRET] },
    start: async redis => serve(file, koaApp(await redis.client(), SECRET, { prefix: 'shop:' })),
  });
});

describe('koa-generic-session', () => {
  testVisitor(testSite({
    session: { preset: 'koa-generic', secrets: [SECRET] },
    start: redis => {
      const app = koaGenericApp(redis, SECRET);
      atEnd(file, app.close);
      return serve(file, app.handle);
    },
  }));
});
