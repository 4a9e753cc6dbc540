/* The gateway itself: it starts with a test's own configuration on free ports and stops by SIGTERM, and must
 * exit with 0 and without a sanitizer's report. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Browser } from './browser.js';
import { atEnd } from './ending.js';
import { folder } from './folder.js';
import { adminAddress, listeningAddress, portOf } from './ports.js';
import { Program, run } from './program.js';
import { RawClient } from './raw_client.js';
import { until } from './wait.js';

export const BINARY =
  process.env.SLUICE_BINARY ?? fileURLToPath(new URL('../../build/sluice', import.meta.url));

const SANITIZERS = {
  ASAN_OPTIONS: 'detect_leaks=1:detect_stack_use_after_return=1',
  UBSAN_OPTIONS: 'print_stacktrace=1',
  TSAN_OPTIONS: 'second_deadlock_stack=1',
};

/* SLUICE_… in the environment are settings: only a test's own may get through, and that of the suite `sandbox`. */
function environment(own) {
  const inherited = Object.entries(process.env)
    .filter(([name]) => !name.startsWith('SLUICE_') || name === 'SLUICE_SANDBOX');
  return { ...Object.fromEntries(inherited), ...SANITIZERS, ...own };
}

const REPORT = /ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:|: broken invariant/;

export const CHANNELS = [
  { match: 'news', allow: 'session', auto: true },
  { match: 'user:{user}', allow: 'session', auto: true },
  { match: 'team:{teams}', allow: 'session' },
  { match: 'public:*', allow: 'anyone' },
];

/* A test's configuration: its own settings over defaults that suit most tests. Objects are merged one level deep. */
export function configuration(redisUrl, own = {}) {
  const config = {
    listen: '127.0.0.1:0',
    workers: 2,
    admin: { listen: '127.0.0.1:0' },
    redis: { url: redisUrl },
    session: { preset: 'express', secrets: ['keyboard cat'] },
    channels: CHANNELS,
    drain: { seconds: 0 },
  };
  for (const [key, value] of Object.entries(own)) {
    const both = [config[key], value].every(one => one && one.constructor === Object);
    config[key] = both ? { ...config[key], ...value } : value;
  }
  return config;
}

/* Runs the program to its end: for --check, --version and the like. */
export function runSluice(args, { env = {}, ...options } = {}) {
  return run(BINARY, args, { name: 'sluice', env: environment(env), ...options });
}

export class Sluice {
  #rawClients = [];

  /* `under`: a program, with arguments, that executes the gateway. */
  constructor(args, env = {}, under = []) {
    const [file, ...rest] = [...under, BINARY, ...args];
    this.program = new Program(file, rest, { name: 'sluice', env: environment(env) });
  }

  /* Waits until it listens; and, if there is an admin port, until it is ready. */
  async started({ ready = true, admin = true } = {}) {
    this.address = await listeningAddress(this.program);
    this.port = portOf(this.address);
    if (!admin) return;
    this.adminPort = portOf(await adminAddress(this.program));
    if (ready) await this.ready();
  }

  get url() {
    return `ws://127.0.0.1:${this.port}/ws`;
  }

  get secureUrl() {
    return `wss://127.0.0.1:${this.port}/ws`;
  }

  /* Where raw clients connect to, as net.connect() takes it. */
  get target() {
    return this.address.startsWith('unix:')
      ? { path: this.address.slice('unix:'.length) }
      : { host: '127.0.0.1', port: this.port };
  }

  get log() {
    return this.program.stderr.join('\n');
  }

  /* Ready, and all links are up: /readyz says so only after two seconds if one is not. */
  async ready({ within = 10000 } = {}) {
    await until(async () => (await this.admin('/readyz')).status === 200 && await this.#areLinksUp(), {
      what: '/readyz says 200', within });
  }

  async #areLinksUp() {
    return !/^sluice_redis_link_up{.*} 0$/m.test((await this.admin('/metrics')).body);
  }

  /* A link to Redis is down. */
  async unlinked(options) {
    await until(async () => !await this.#areLinksUp(), { what: 'the loss is noticed', ...options });
  }

  /* The response to a path of the admin port: { status, headers, body }. */
  admin(path, { method = 'GET' } = {}) {
    return new Promise((resolve, reject) => {
      const asked = httpRequest({ host: '127.0.0.1', port: this.adminPort, path, method, agent: false });
      asked.on('error', reject);
      asked.setTimeout(5000, () => asked.destroy(new Error(`no answer to ${path}`)));
      asked.on('response', async answer => {
        let body = '';
        for await (const part of answer.setEncoding('utf8')) body += part;
        resolve({ status: answer.statusCode, headers: answer.headers, body });
      });
      asked.end();
    });
  }

  /* The value of one series in /metrics, by its name with labels. */
  async metric(series) {
    const { body } = await this.admin('/metrics');
    const line = body.split('\n').find(one => one.startsWith(`${series} `));
    if (!line) throw new Error(`no series ${series} in /metrics`);
    return Number(line.slice(series.length + 1));
  }

  /* Waits until a series has this value. */
  reaches(series, value, options) {
    return until(async () => (await this.metric(series)) === value, { what: `${series} is ${value}`, ...options });
  }

  /* How many times a limit was reached. */
  hits(limit) {
    return this.metric(`sluice_limit_hits_total{limit="${limit}"}`);
  }

  /* A browser that is open; throws Refused. */
  async open(options = {}) {
    return Browser.open(this.url, options);
  }

  /* A client that sends raw bytes. */
  async connect() {
    const client = await RawClient.connect(this.target);
    this.#rawClients.push(client);
    return client;
  }

  /* Sends bytes from a client of their own, and returns the HTTP response, with which the connection must end. */
  async answerTo(...bytes) {
    const client = await this.connect();
    client.write(...bytes);
    const answer = await client.answer();
    await client.ended();
    assert.equal(client.bytes.length, 0, 'nothing follows the response');
    return answer;
  }

  /* Has it reload its configuration. */
  hangUp() {
    this.program.process.kill('SIGHUP');
  }

  /* Sends SIGTERM, unless the test has sent a signal, and returns the exit status. */
  async stop() {
    if (!this.program.isSignalled && !this.program.exited) this.program.signal('SIGTERM');
    return this.program.exit();
  }

  /* Stops it, and requires a clean exit. Raw clients do not answer a closing handshake, so they go
   * first. */
  async end() {
    if (this.killed) return;
    for (const client of this.#rawClients) client.destroy();
    try {
      const status = await this.stop();
      assert.equal(status, 0, `sluice exited with ${status}\n${this.program.output}`);
    } finally {
      await this.program.end();
    }
    assert.doesNotMatch(this.program.output, REPORT);
    if (!this.isIntruded) assert.doesNotMatch(this.program.output, /the sandbox refused a system call/);
  }

  async kill() {
    this.killed = true;
    await this.program.end();
  }
}

/* Starts a gateway with a configuration file of its own, and stops it when the test is over. */
export async function startSluice(t, redisUrl, own = {}, { args = [], env = {}, under = [], ...started } = {}) {
  const config = configuration(redisUrl, own);
  const file = join(await folder(t), 'sluice.json');
  await writeFile(file, JSON.stringify(config, null, 2));
  const sluice = new Sluice(['--config', file, ...args], env, under);
  sluice.configFile = file;
  atEnd(t, () => sluice.end());
  await sluice.started({ admin: Boolean(config.admin?.listen), ...started });
  return sluice;
}
