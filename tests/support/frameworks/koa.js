/* koa-session with a store in Redis, as its README has one written, and koa-generic-session with
 * koa-redis. Both sign with Keygrip: a second cookie beside the first. */
import Koa from 'koa';
import genericSession from 'koa-generic-session';
import redisStore from 'koa-redis';
import session from 'koa-session';

function storeIn(client) {
  return {
    get: async key => JSON.parse(await client.get(key)),
    set: (key, value, maxAge) => client.set(key, JSON.stringify(value), { PX: maxAge }),
    destroy: key => client.del(key),
  };
}

function route(ctx) {
  if (ctx.path === '/visit') ctx.session.cart = ['a book'];
  if (ctx.path === '/login')
    Object.assign(ctx.session, { authenticated: true, userId: ctx.query.user });
  if (ctx.path === '/logout') ctx.session = null;
  if (ctx.path === '/user') ctx.body = ctx.session.userId ?? '';
  else ctx.status = 204;
}

export function koaApp(client, secret, options = {}) {
  const app = new Koa();
  app.keys = [secret];
  app.use(session({ store: storeIn(client), maxAge: 3600000, ...options }, app));
  app.use(route);
  return app.callback();
}

/* `redis`: where koa-redis connects to, by itself. */
export function koaGenericApp(redis, secret) {
  const store = redisStore({ host: '127.0.0.1', port: redis.port });
  const app = new Koa();
  app.keys = [secret];
  app.use(genericSession({ store }));
  app.use(route);
  const close = () => {
    store.removeAllListeners('disconnect'); // or it would wait for a Redis that comes back
    return store.quit();
  };
  return { handle: app.callback(), close };
}
