/* Sessions as express-session with connect-redis leaves them in Redis, and the cookies for them. */
import { createHmac, randomUUID } from 'node:crypto';

export const SECRET = 'keyboard cat';
export const COOKIE = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };

/* "s:<id>.<signature>" as cookie-signature makes it, not yet percent-encoded. */
export function sign(id, secret = SECRET) {
  const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
  return `s:${id}.${signature}`;
}

/* A whole Cookie header for a session id. */
export function cookieFor(id, { secret = SECRET, name = 'connect.sid' } = {}) {
  return `${name}=${encodeURIComponent(sign(id, secret))}`;
}

/* Writes any text as the session `id`. */
export async function putSession(redis, id, text, ttl = 3600) {
  await redis.cli('SET', `sess:${id}`, text, 'EX', String(ttl));
}

/* A log-in: a session in Redis, and its Cookie header. */
export async function logIn(redis, fields = {}, options = {}) {
  const id = options.id ?? randomUUID();
  await putSession(redis, id, JSON.stringify({ cookie: COOKIE, authenticated: true, userId: 'u1', ...fields }));
  return cookieFor(id, options);
}
