/* The set-up of all measures: a Redis with sessions as express-session writes them, the CPUs, and the load
 * generator. */
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../support/ports.js';
import { Program, run } from '../support/program.js';
import { COOKIE, cookieFor } from '../support/sessions.js';

export const SESSIONS = 18000;

/* "0-3,6" */
async function allowedCpus() {
  const status = await readFile('/proc/self/status', 'utf8');
  return /^Cpus_allowed_list:\s*(\S+)/m.exec(status)[1].split(',').flatMap(part => {
    const [from, to = from] = part.split('-').map(Number);
    return Array.from({ length: to - from + 1 }, (_, i) => from + i);
  });
}

/* Milliseconds in which CPUs of the machine were busy, or taken away by the host. */
function busyTime() {
  const [user, nice, system, , , irq, softirq, steal] = readFileSync('/proc/stat', 'latin1')
    .split('\n')[0].trim().split(/\s+/).slice(1).map(Number);
  return (user + nice + system + irq + softirq + steal) * 10;
}

function command(...words) {
  return `*${words.length}\r\n${words.map(word => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join('')}`;
}

/* Sends commands that Redis answers with +OK, and waits for all answers. */
function send(port, commands) {
  return new Promise((resolve, reject) => {
    let answered = 0;
    const socket = connect(port, '127.0.0.1', () => socket.write(commands.join('')));
    socket.on('error', reject);
    socket.on('data', bytes => {
      answered += bytes.toString().split('\n').length - 1;
      if (answered === commands.length) socket.end(resolve);
    });
  });
}

export class Stand {
  #redis = null;

  async start({ build, sluice }) {
    this.build = build;
    this.sluice = sluice ?? join(build, 'sluice');
    this.folder = await mkdtemp(join(tmpdir(), 'sluice-bench-'));
    this.cpus = await allowedCpus();
    this.redisPort = await freePort();
    this.#redis = this.program('redis-server', ['--port', String(this.redisPort), '--bind', '127.0.0.1',
      '--save', '', '--appendonly', 'no', '--dir', this.folder], 'load');
    await this.#redis.line(/Ready to accept connections/);
    await this.#logEverybodyIn();
  }

  /* With two CPUs or more, the server has one and everything else the others. With one, or without pinning,
   * all share. */
  get canPin() {
    return this.cpus.length > 1;
  }

  /* Starts a program on the CPUs of `where`: 'server', 'load' or 'anywhere'. */
  program(file, args, where, options = {}) {
    if (where === 'anywhere' || !this.canPin) return new Program(file, args, options);
    const [first, ...others] = this.cpus;
    const list = where === 'server' ? first : others.join(',');
    return new Program('taskset', ['-c', String(list), file, ...args], { name: file, ...options });
  }

  /* Connection n has a session of its own, of the user "u<n>". */
  async #logEverybodyIn() {
    const ids = Array.from({ length: SESSIONS }, () => randomUUID());
    this.cookies = ids.map(id => cookieFor(id));
    this.cookiesFile = join(this.folder, 'cookies');
    await writeFile(this.cookiesFile, `${this.cookies.join('\n')}\n`);
    await send(this.redisPort, ids.map((id, n) => command('SET', `sess:${id}`,
      JSON.stringify({ cookie: COOKIE, authenticated: true, userId: `u${n}`, teams: ['7'] }), 'EX', '86400')));
  }

  /* Runs the generator against a server, and returns a report for each phase. */
  async load(server, phases, { pinned = true, ...options } = {}) {
    const args = Object.entries({
      port: server.port, 'redis-port': this.redisPort, 'redis-pid': this.#redis.pid,
      'server-pid': server.pids.join(','), cookies: this.cookiesFile, ...server.load, ...options,
    }).flatMap(([name, value]) => (value === true ? [`--${name}`] : [`--${name}`, String(value)]));
    const program = this.program(join(this.build, 'tests/bench/load'), [...args, ...phases],
      pinned ? 'load' : 'anywhere', { name: 'load' });
    const [began, before] = [performance.now(), busyTime()];
    const status = await program.exit({ within: 600000 });
    if (status !== 0) throw new Error(`load ended with ${status}: ${program.output}`);
    for (const line of program.stderr) console.log(`    ${line}`);
    const reports = program.stdout.map(line => JSON.parse(line));
    const own = reports.reduce((sum, { server, redis, load: self }) =>
      sum + (server.cpu_us + redis.cpu_us + self.cpu_us) / 1000, 0);
    reports.at(-1).others = (100 * (busyTime() - before - own)) / (performance.now() - began);
    return reports;
  }

  async end() {
    await this.#redis?.end();
    await rm(this.folder, { recursive: true, force: true });
  }
}

async function versionOf(file, ...args) {
  const { stdout, stderr } = await run(file, args).catch(() => ({ stdout: '', stderr: '' }));
  return (stdout || stderr).split('\n')[0].trim();
}

/* The machine, for the readers of the results. */
export async function describeMachine(stand) {
  const model = /^model name\s*:\s*(.*)$/m.exec(await readFile('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown';
  const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(await readFile('/etc/os-release', 'utf8'))?.[1] ?? '';
  const options = JSON.parse(await readFile(join(stand.build, 'meson-info/intro-buildoptions.json'), 'utf8'));
  return {
    cpu: `${availableParallelism()} x ${model}`,
    system,
    kernel: await versionOf('uname', '-r'),
    redis: /v=(\S+)/.exec(await versionOf('redis-server', '--version'))?.[1],
    node: process.version,
    buildtype: options.find(one => one.name === 'buildtype').value,
    sluice: await versionOf(stand.sluice, '--version'),
  };
}
