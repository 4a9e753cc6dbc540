/* A real redis-server on a free port, with a client and redis-cli beside it. */
import { join } from 'node:path';
import { createClient } from 'redis';
import { atEnd } from './ending.js';
import { folder } from './folder.js';
import { freePort } from './ports.js';
import { Program, run } from './program.js';
import { until } from './wait.js';

export class Redis {
  #program = null;
  #clients = [];

  /* `settings`: settings of redis-server, by name. */
  constructor(path, port, { cliArguments = [], ...settings }) {
    this.path = path;
    this.port = port;
    this.socket = join(path, 'redis.sock');
    this.cliArguments = cliArguments; // for a user, a password, a database
    // with an append-only file, as a store of sessions has
    this.settings = {
      save: '', appendonly: 'yes', appendfsync: 'no', dir: path, bind: '127.0.0.1', ...settings };
  }

  get url() {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid() {
    return this.#program.pid;
  }

  async start() {
    const settings = { port: this.port, unixsocket: this.socket, ...this.settings };
    const args = Object.entries(settings).flatMap(([name, value]) => [
      `--${name}`, ...[value].flat().map(String)]);
    this.#program = new Program('redis-server', args);
    await this.#program.line(/[Rr]eady to accept connections/);
    await until(async () => (await this.cli('PING')) === 'PONG', { what: 'redis-server answers' });
  }

  /* Kills it as a crash would: no connection is closed in order. */
  async kill() {
    this.#program.signal('SIGKILL');
    await this.#program.exit();
  }

  /* Its sockets stay open, and it answers nothing. */
  pause() {
    this.#program.signal('SIGSTOP');
  }

  resume() {
    this.#program.signal('SIGCONT');
  }

  /* Over the Unix socket, so that it works whatever the TCP port speaks. */
  async cli(...words) {
    const { status, stdout, stderr } = await run('redis-cli', ['-s', this.socket, ...this.cliArguments, ...words]);
    if (status !== 0) throw new Error(`redis-cli ${words[0]}: ${stderr || stdout}`);
    return stdout;
  }

  /* A client of the npm package redis, as in a back end. It ignores that Redis is down. */
  async client(options = {}) {
    const client = createClient({ socket: { path: this.socket }, ...options });
    client.on('error', () => {});
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  /* INFO, as a client has it. */
  info(section) {
    return this.cli('INFO', section);
  }

  /* How many times a command was called since the server's start. */
  async calls(command) {
    const stats = await this.cli('INFO', 'commandstats');
    return Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
  }

  /* The names of all commands that were called since the server's start. */
  async commands() {
    const stats = await this.cli('INFO', 'commandstats');
    return [...stats.matchAll(/cmdstat_([^:]+):/g)].map(match => match[1]);
  }

  async subscribers(channel) {
    return Number((await this.cli('PUBSUB', 'NUMSUB', channel)).split('\n')[1]);
  }

  /* Waits until a channel has subscribers, or has none. */
  joined(channel) {
    return until(async () => (await this.subscribers(channel)) > 0, { what: `subscribers of ${channel}` });
  }

  left(channel) {
    return until(async () => (await this.subscribers(channel)) === 0, { what: `no subscriber of ${channel}` });
  }

  /* All channels with subscribers, without those of Redis and of the gateways themselves. */
  async channels() {
    const channels = (await this.cli('PUBSUB', 'CHANNELS')).split('\n');
    return channels.filter(name => name && !name.startsWith('__'));
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
