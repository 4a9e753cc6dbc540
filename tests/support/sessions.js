/* Sessions as express-session with connect-redis writes them to Redis, and their cookies. */
import { createHmac, randomUUID } from 'node:crypto';

export const SECRET = 'keyboard cat';
export const COOKIE = { originalMaxAge: null, expires: null, httpOnly: true, path: '/' };

/* "s:<id>.<signature>" as cookie-signature makes it, before percent-encoding. */
export function sign(id, secret = SECRET) {
  const signature = createHmac('sha256', secret).update(id).digest('base64').replace(/=+$/, '');
  return `s:${id}.${signature}`;
}

/* The Cookie header for a session id. */
export function cookieFor(id, { secret = SECRET, name = 'connect.sid' } = {}) {
  return `${name}=${encodeURIComponent(sign(id, secret))}`;
}

/* Writes a string as the record of the session `id`. */
export async function putSession(redis, id, text, ttl = 3600) {
  await redis.cli('SET', `sess:${id}`, text, 'EX', String(ttl));
}

/* Writes a session that is logged in, and returns its Cookie header. */
export async function logIn(redis, fields = {}, options = {}) {
  const id = options.id ?? randomUUID();
  await putSession(redis, id, JSON.stringify({ cookie: COOKIE, authenticated: true, userId: 'u1', ...fields }));
  return cookieFor(id, options);
}
