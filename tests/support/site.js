/* Sites that real frameworks serve, each with the same paths, and visitors to them with a cookie
 * jar. Log-ins are real: this file knows no more of cookies and sessions than a browser does.
 *
 *     POST /visit             puts a value into the session, logged in or not
 *     POST /login?user=NAME   logs in
 *     POST /user              the id of the user who is logged in, or nothing
 *     POST /logout            logs out
 */
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { atEnd } from './ending.js';
import { Program } from './program.js';
import { listen } from './serving.js';

const FRAMEWORKS = fileURLToPath(new URL('frameworks/', import.meta.url));
const PYTHON = fileURLToPath(new URL('../../build-tools/python/bin/python', import.meta.url));

export class Visitor {
  #jar = new Map();

  constructor(origin) {
    this.origin = origin;
  }

  /* The Cookie header that a browser would send. */
  get cookie() {
    return [...this.#jar].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  /* Sends `body`, if any, as JSON, and returns the body of the response. */
  async post(path, body) {
    const headers = { Origin: this.origin, Cookie: this.cookie };
    if (body) headers['Content-Type'] = 'application/json';
    const answer = await fetch(this.origin + path, {
      method: 'POST', redirect: 'manual', headers, body: body && JSON.stringify(body) });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${text}`);
    for (const line of answer.headers.getSetCookie()) this.#take(line);
    return text;
  }

  #take(line) {
    const [pair, ...attributes] = line.split(/; */);
    const [, name, value] = /^([^=]*)=(.*)$/.exec(pair);
    const isGone = attributes.some(one => /^(max-age=0$|expires=\w+, 01.Jan.1970)/i.test(one));
    if (isGone) this.#jar.delete(name);
    else this.#jar.set(name, value);
  }
}

/* Serves a request handler in this process, and returns the site's origin. */
export async function serve(t, handle) {
  return `http://127.0.0.1:${await listen(t, createServer(handle))}`;
}

/* Serves an empty page with these headers. */
export function servePage(t, headers = {}) {
  return serve(t, (request, answer) => {
    answer.writeHead(200, { 'Content-Type': 'text/html', ...headers });
    answer.end('<!doctype html><title>page</title>');
  });
}

/* The frameworks are packages of the system, and so run under its PHP and Ruby, even where others are on PATH. */
const PATH = `/usr/bin:${process.env.PATH}`;

/* Starts a program that prints the port that it listens on, and returns the site's origin. */
async function start(t, program, args, env) {
  const site = new Program(program, args, {
    name: args.at(-1), cwd: FRAMEWORKS, env: { ...process.env, PATH, ...env } });
  atEnd(t, () => site.end());
  const [, port] = await site.line(/listening on (\d+)|Server \(http:\/\/127\.0\.0\.1:(\d+)\) started/)
    .then(match => match.filter(Boolean));
  return `http://127.0.0.1:${port}`;
}

export function startPython(t, script, args, env) {
  return start(t, PYTHON, ['-B', script, ...args], env);
}

export function startRuby(t, script, env) {
  return start(t, 'ruby', [script], env);
}

/* Under PHP's built-in server. `settings`: as in php.ini. */
export function startPhp(t, script, settings, env) {
  const given = Object.entries(settings).flatMap(([name, value]) => ['-d', `${name}=${value}`]);
  return start(t, 'php', [...given, '-S', '127.0.0.1:0', script], env);
}
