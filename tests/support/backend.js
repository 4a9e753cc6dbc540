/* The demo's own back end, unchanged, with real log-ins. */
import { createServer } from 'node:http';
import { createApp } from '../../deploy/demo/server.js';
import { atEnd } from './ending.js';
import { listen } from './serving.js';
import { SECRET } from './sessions.js';

export class Backend {
  constructor(origin) {
    this.origin = origin;
  }

  /* Logs a user in: { cookie, post(path, body) }. */
  async logIn(user) {
    const answer = await this.#post('/login', { user });
    if (answer.status !== 303) throw new Error(`the log-in failed: ${answer.status} ${await answer.text()}`);
    const cookie = answer.headers.getSetCookie().map(one => one.split(';')[0]).join('; ');
    return { cookie, post: (path, body) => this.#post(path, body, cookie) };
  }

  #post(path, body, cookie = '') {
    return fetch(this.origin + path, {
      method: 'POST', redirect: 'manual', body: JSON.stringify(body),
      headers: { 'Content-Type': 'application/json', Cookie: cookie } });
  }
}

export async function startBackend(t, redis) {
  const { app, close } = await createApp({ redisUrl: redis.url, secret: SECRET });
  atEnd(t, close);
  return new Backend(`http://127.0.0.1:${await listen(t, createServer(app))}`);
}
