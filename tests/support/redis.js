/* A real redis-server on a free port, with a client and redis-cli beside it. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createClient } from 'redis';
import { atEnd } from './ending.js';
import { folder } from './folder.js';
import { Program, run } from './program.js';
import { until, withResolvers } from './wait.js';

/* Below the ports that the kernel gives to clients, so that none of those can take one of ours
 * between two starts of a server. */
const PORTS = { from: 20000, to: 32000 };

/* A port that nobody listens on. */
export async function freePort() {
  for (;;) {
    const port = PORTS.from + Math.floor(Math.random() * (PORTS.to - PORTS.from));
    const server = createServer();
    const { promise, resolve } = withResolvers();
    server.on('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
    if (await promise) return port;
  }
}

export class Redis {
  #program = null;
  #clients = [];

  /* `settings`: redis-server's own, by name. */
  constructor(path, port, { cliArguments = [], ...settings }) {
    this.path = path;
    this.port = port;
    this.socket = join(path, 'redis.sock');
    this.cliArguments = cliArguments; // for a user, a password, a database
    // what was answered has been written down, as users of sessions have it
    this.settings = {
      save: '', appendonly: 'yes', appendfsync: 'no', dir: path, bind: '127.0.0.1', ...settings };
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  async start() {
    const settings = { port: this.port, unixsocket: this.socket, ...this.settings };
    const args = Object.entries(settings).flatMap(([name, value]) => [
      `--${name}`, ...[value].flat().map(String)]);
    this.#program = new Program('redis-server', args);
    await this.#program.line(/[Rr]eady to accept connections/);
    await until(async () => (await this.cli('PING')) === 'PONG', { what: 'redis-server answers' });
  }

  /* As a crash: no word to anybody. */
  async kill() {
    this.#program.signal('SIGKILL');
    await this.#program.exit();
  }

  /* Its sockets stay open, and nothing answers. */
  pause() {
    this.#program.signal('SIGSTOP');
  }

  resume() {
    this.#program.signal('SIGCONT');
  }

  /* Over its Unix socket, so that it works whatever the port speaks. */
  async cli(...words) {
    const { status, stdout, stderr } = await run('redis-cli', ['-s', this.socket, ...this.cliArguments, ...words]);
    if (status !== 0) throw new Error(`redis-cli ${words[0]}: ${stderr || stdout}`);
    return stdout;
  }

  /* A node-redis client, as a back end has one. Errors of a Redis that is away are not the test's. */
  async client(options = {}) {
    const client = createClient({ socket: { path: this.socket }, ...options });
    client.on('error', () => {});
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  /* How often a command was called since the server's start. */
  async calls(command) {
    const stats = await this.cli('INFO', 'commandstats');
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  }

  /* All commands that were called since the server's start, by name. */
  async commands() {
    const stats = await this.cli('INFO', 'commandstats');
    return [...stats.matchAll(/cmdstat_([^:]+):/g)].map(match => match[1]);
  }

  async subscribers(channel) {
    return Number((await this.cli('PUBSUB', 'NUMSUB', channel)).split('\n')[1]);
  }

  /* But for the one on which the gateway hears of changed sessions. */
  async channels() {
    const channels = (await this.cli('PUBSUB', 'CHANNELS')).split('\n');
    return channels.filter(name => name && name !== '__redis__:invalidate');
  }

  async end() {
    for (const client of this.#clients) client.destroy();
    await this.#program?.end();
  }
}

export async function startRedis(t, settings = {}) {
  const redis = new Redis(await folder(t), settings.port ?? (await freePort()), settings);
  atEnd(t, () => redis.end());
  await redis.start();
  return redis;
}
