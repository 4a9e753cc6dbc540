/* @fastify/session on @fastify/cookie, with the store that express-session has too. */
import cookie from '@fastify/cookie';
import session from '@fastify/session';
import { RedisStore } from 'connect-redis';
import Fastify from 'fastify';

export async function fastifyApp(client, secret) {
  const app = Fastify();
  await app.register(cookie);
  await app.register(session, {
    secret, store: new RedisStore({ client }), cookie: { secure: false, maxAge: 3600000 }, saveUninitialized: false });
  app.post('/visit', async (request, reply) => {
    request.session.cart = ['a book'];
    return reply.code(204).send();
  });
  app.post('/login', async (request, reply) => {
    await request.session.regenerate();
    request.session.authenticated = true;
    request.session.userId = request.query.user;
    return reply.code(204).send();
  });
  app.post('/user', async request => request.session.userId ?? '');
  app.post('/logout', async (request, reply) => {
    await request.session.destroy();
    return reply.code(204).send();
  });
  await app.ready();
  return app.routing;
}
