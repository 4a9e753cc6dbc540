/*
 * A backend that does not know Sluice.
 *
 * It logs users in with express-session, keeps the sessions in Redis with connect-redis, and
 * publishes with PUBLISH. Sluice needs nothing else: there is no SDK here, no second login, and no
 * line that opens or closes a WebSocket. The page opens one, on /ws of the same origin, with the
 * sluice.js that the gateway serves. The load balancer passes it to a gateway, which finds the
 * session by its cookie and closes the socket when the session is gone.
 *
 *     browser --- /ws -----> sluice  <--- subscribes, watches sessions - redis
 *        |                                                                 ^
 *        +------- the rest -> this backend ---- sessions, PUBLISH ---------+
 *
 * What the backend and Sluice must agree on:
 *
 *     SESSION_SECRET                    session.secrets
 *     the cookie's name                 session.cookie           connect.sid, both sides' default
 *     req.session.authenticated = true  session.authenticated    authenticated, the default
 *     req.session.userId                session.user             userId, the default
 *     news, user:<id>                   channels
 *
 * Run it:  npm ci && SESSION_SECRET='keyboard cat' npm start
 *
 *     PORT            where to listen, 3000
 *     REDIS_URL       redis://127.0.0.1:6379
 *     SESSION_SECRET  signs the cookie; required
 *     NEWS_SECONDS    publish a line of news this often; 0, the default, means never
 */

import { fileURLToPath } from 'node:url';
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import { createClient } from 'redis';
import { livePage, loginPage } from './pages.js';

const USER = /^[\w.@-]{1,64}$/;
const LONGEST_TEXT = 1000;
const SESSION_MS = 24 * 60 * 60 * 1000;

const assets = fileURLToPath(new URL('public', import.meta.url));

/* Without Redis a request fails at once, rather than waiting in a queue until Redis is back. */
async function connect(url) {
  const redis = createClient({ url, disableOfflineQueue: true });
  redis.on('error', (error) => console.error(`redis: ${error.message || error.code}`));
  await redis.connect();
  return redis;
}

function sessions(redis, secret) {
  return session({
    store: new RedisStore({ client: redis }),
    secret,
    resave: false,
    saveUninitialized: false,
    cookie: { httpOnly: true, sameSite: 'lax', secure: 'auto', maxAge: SESSION_MS },
  });
}

/* A new session id at each login, against session fixation. */
function logIn(req, res, next) {
  const user = String(req.body?.user ?? '').trim();
  if (!USER.test(user))
    return res.status(400).send(loginPage('A name has 1 to 64 letters, digits, or . _ @ -'));
  req.session.regenerate((error) => {
    if (error)
      return next(error);
    req.session.authenticated = true;
    req.session.userId = user;
    req.session.save((failure) => (failure ? next(failure) : res.redirect(303, '/')));
  });
}

function logOut(req, res, next) {
  req.session.destroy((error) => {
    if (error)
      return next(error);
    res.clearCookie('connect.sid').redirect(303, '/');
  });
}

function loggedIn(req, res, next) {
  if (req.session.authenticated === true)
    return next();
  res.status(401).send('log in first\n');
}

function publisher(redis) {
  return (channel, value) => redis.publish(channel, JSON.stringify(value));
}

/* `to` is a word and not a channel, so that nobody can publish to another user's channel. */
function publishRoute(publish) {
  return async (req, res) => {
    const { to, text } = req.body ?? {};
    const user = req.session.userId;
    const channel = new Map([['news', 'news'], ['me', `user:${user}`]]).get(to);
    if (!channel || typeof text !== 'string' || text.length > LONGEST_TEXT)
      return res.status(400).send('expected {"to":"news" or "me","text":"…"}\n');
    await publish(channel, { type: to, from: user, text });
    res.status(204).end();
  };
}

/* Resolves to { app, publish(channel, value), close() } when Redis is connected. */
export async function createApp({ redisUrl, secret }) {
  const redis = await connect(redisUrl);
  const publish = publisher(redis);
  const app = express();
  app.disable('x-powered-by');
  app.set('trust proxy', 'loopback, uniquelocal');
  app.get('/healthz', (req, res) => res.status(redis.isReady ? 200 : 503).end());
  app.use(express.static(assets, { index: false }));
  app.use(express.json(), express.urlencoded({ extended: false }), sessions(redis, secret));
  app.get('/', (req, res) => {
    const { authenticated, userId } = req.session;
    res.set('Cache-Control', 'no-store');
    res.send(authenticated === true ? livePage(userId) : loginPage());
  });
  app.post('/login', logIn);
  app.post('/logout', logOut);
  app.post('/publish', loggedIn, publishRoute(publish));
  return { app, publish, close: () => redis.close() };
}

function publishNews(publish, seconds) {
  let issue = 0;
  return setInterval(() => {
    issue++;
    publish('news', { type: 'news', text: `Issue ${issue}, ${new Date().toISOString()}` })
      .catch((error) => console.error(`news: ${error.message}`));
  }, seconds * 1000);
}

async function main() {
  const { PORT = '3000', REDIS_URL = 'redis://127.0.0.1:6379', SESSION_SECRET } = process.env;
  const seconds = Number(process.env.NEWS_SECONDS ?? 0);
  if (!SESSION_SECRET)
    throw new Error('SESSION_SECRET is not set');
  const { app, publish, close } = await createApp({ redisUrl: REDIS_URL, secret: SESSION_SECRET });
  const news = seconds > 0 ? publishNews(publish, seconds) : null;
  const server = app.listen(Number(PORT), (error) => {
    if (error)
      throw error;
    console.log(`http://127.0.0.1:${server.address().port}/`);
  });
  for (const signal of ['SIGTERM', 'SIGINT'])
    process.once(signal, () => {
      clearInterval(news);
      server.close(close);
      server.closeIdleConnections();
    });
}

if (process.argv[1] === fileURLToPath(import.meta.url))
  main().catch((error) => {
    console.error(error.message);
    process.exit(1);
  });
