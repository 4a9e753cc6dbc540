/* Fastify with @fastify/session. */
import { describe } from 'node:test';
import { file } from '../support/ending.js';
import { fastifyApp } from '../support/frameworks/fastify.js';
import { testSite, testVisitor } from '../support/presets.js';
import { serve } from '../support/site.js';

const SECRET = 'a secret of at least 32 characters';

describe('the default names of @fastify/session', () => {
  testVisitor(testSite({
    session: { preset: 'fastify', secrets: [SECRET] },
    start: async redis => serve(file, await fastifyApp(await redis.client(), SECRET)),
  }));
});
