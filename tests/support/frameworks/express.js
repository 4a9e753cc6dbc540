/* express-session with connect-redis, and Passport on top of them: log-ins kept where each keeps
 * them. */
import { RedisStore } from 'connect-redis';
import express from 'express';
import session from 'express-session';
import passport from 'passport';
import { Strategy } from 'passport-local';
import { promisify } from 'node:util';

function withSessions(client, secret) {
  const app = express();
  app.use(session({ store: new RedisStore({ client }), secret, resave: false, saveUninitialized: false }));
  app.post('/visit', (request, response) => {
    request.session.cart = ['a book'];
    response.sendStatus(204);
  });
  return app;
}

export function expressApp(client, secret) {
  const app = withSessions(client, secret);
  app.post('/login', async (request, response) => {
    await promisify(request.session.regenerate).call(request.session);
    Object.assign(request.session, { authenticated: true, userId: request.query.user });
    response.sendStatus(204);
  });
  app.post('/user', (request, response) => response.send(request.session.userId ?? ''));
  app.post('/logout', async (request, response) => {
    await promisify(request.session.destroy).call(request.session);
    response.sendStatus(204);
  });
  return app;
}

/* Passport leaves the session in place at a log-out, under a new id and without its user. */
export function passportApp(client, secret) {
  const { Passport } = passport;
  const authenticator = new Passport();
  authenticator.use(new Strategy((name, password, done) => done(null, { id: name })));
  authenticator.serializeUser((user, done) => done(null, user.id));
  authenticator.deserializeUser((id, done) => done(null, { id }));

  const app = withSessions(client, secret);
  app.use(authenticator.session());
  app.post('/login', (request, response, next) => {
    request.body = { username: request.query.user, password: 'any' };
    next();
  }, authenticator.authenticate('local'), (request, response) => response.sendStatus(204));
  app.post('/user', (request, response) => response.send(request.user?.id ?? ''));
  app.post('/logout', (request, response, next) => {
    request.logout(error => (error ? next(error) : response.sendStatus(204)));
  });
  return app;
}
