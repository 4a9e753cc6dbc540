/* The servers that are measured. Each is { name, missing(), start(stand, settings) }: missing() says why it
 * cannot be measured here, or null; start() gives { port, pids, load, end() }. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adminAddress, freePort, listeningAddress, portOf } from '../support/ports.js';
import { run } from '../support/program.js';
import { SECRET } from '../support/sessions.js';
import { until } from '../support/wait.js';
import { SESSIONS } from './stand.js';

const here = name => fileURLToPath(new URL(name, import.meta.url));

async function end(program) {
  program.signal('SIGTERM');
  await program.exit();
}

function where(settings) {
  return settings.pinned === false ? 'anywhere' : 'server';
}

async function listening(program, port, more = {}) {
  return { port, pids: [program.pid], load: {}, end: () => end(program), ...more };
}

/* ---- Sluice ---- */

/* As in production: with sessions, rules, every limit, heartbeats. */
export function sluiceConfiguration(stand, { workers = 1, isPrivate = false, config = {} } = {}) {
  return {
    listen: '127.0.0.1:0',
    workers,
    admin: { listen: '127.0.0.1:0' },
    redis: { url: `redis://127.0.0.1:${stand.redisPort}` },
    session: { preset: 'express', secrets: [SECRET] },
    channels: [
      { match: 'news', allow: 'session', auto: true },
      { match: 'user:{userId}', allow: 'session', auto: isPrivate },
      { match: 'team:{teams}', allow: 'session' },
      { match: 'public:*', allow: 'anyone' },
    ],
    limits: {
      connections: SESSIONS + 1000, connections_per_ip: SESSIONS + 1000, connections_per_user: 20,
      upgrades_per_second: 100000, queue_bytes: 8388608,
    },
    drain: { seconds: 0 },
    ...config,
  };
}

async function writeConfiguration(stand, settings) {
  const file = join(stand.folder, 'sluice.json');
  await writeFile(file, JSON.stringify(sluiceConfiguration(stand, settings)));
  return file;
}

/* Whether this build knows a setting that is not in every version. */
export async function sluiceTakes(stand, config) {
  const { status } = await run(stand.sluice, ['--check', '--config', await writeConfiguration(stand, { config })]);
  return status === 0;
}

async function startSluice(stand, settings) {
  const file = await writeConfiguration(stand, settings);
  const program = stand.program(stand.sluice, ['--config', file], where(settings), { name: 'sluice' });
  const port = portOf(await listeningAddress(program));
  const admin = await adminAddress(program);
  await until(async () => (await fetch(`http://${admin}/readyz`)).ok, { what: 'sluice is ready' });
  return listening(program, port);
}

/* ---- the floor ---- */

async function startFloor(stand, settings, ...flags) {
  const args = ['--redis-port', String(stand.redisPort), ...flags];
  const program = stand.program(join(stand.build, 'tests/bench/floor'), args, where(settings), { name: 'floor' });
  return listening(program, portOf(await listeningAddress(program)));
}

/* ---- ws with express-session and connect-redis ---- */

function missingWs() {
  const demo = here('../../deploy/demo/package.json');
  try {
    createRequire(import.meta.url).resolve('ws');
    createRequire(demo).resolve('express-session');
    createRequire(demo).resolve('connect-redis');
    return null;
  } catch {
    return 'its npm packages are not installed (npm ci in tests/ and deploy/demo/)';
  }
}

async function startWs(stand, settings) {
  const env = {
    ...process.env, NODE_ENV: 'production', SESSION_SECRET: SECRET,
    REDIS_URL: `redis://127.0.0.1:${stand.redisPort}` };
  const program = stand.program('node', [here('peers/ws.js')], where(settings), { name: 'ws', env });
  return listening(program, portOf(await listeningAddress(program)));
}

/* ---- Nchan ---- */

const NCHAN = ['/usr/lib/nginx/modules', '/usr/lib64/nginx/modules', '/usr/local/lib/nginx/modules']
  .map(folder => join(folder, 'ngx_nchan_module.so')).find(existsSync);

function childrenOf(pid) {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
}

function takesConnections(port) {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1', () => resolve(true));
    socket.on('connect', () => socket.destroy()).on('error', () => resolve(false));
  });
}

/* `values` replace @names@ in the template. */
async function startNginx(stand, settings, template, values) {
  const port = await freePort();
  const all = { folder: stand.folder, port, ...values };
  const file = join(stand.folder, 'nginx.conf');
  const text = await readFile(here(template), 'utf8');
  await writeFile(file, text.replace(/@(\w+)@/g, (_, name) => all[name]));
  const program = stand.program('nginx', ['-c', file, '-p', stand.folder, '-e', 'stderr'], where(settings));
  await until(() => takesConnections(port), { what: 'nginx takes connections' });
  await until(() => childrenOf(program.pid).length > 0, { what: 'nginx has a worker' });
  return listening(program, port, { pids: [program.pid, ...childrenOf(program.pid)] });
}

async function startNchan(stand, settings) {
  const nginx = await startNginx(stand, settings, 'peers/nchan.conf', { module: NCHAN });
  return { ...nginx, load: { 'http-port': nginx.port, channel: '/publish/news' } };
}

/* ---- nginx that ends TLS ---- */

const hasNginx = () => (process.env.PATH.split(':').some(folder => existsSync(join(folder, 'nginx')))
  ? null : 'it is not installed (deploy/setup bench)');

/* Nothing is behind it: port 9 discards. */
function startNginxTls(stand, settings, behind = 9) {
  return startNginx(stand, settings, 'peers/tls.conf', { ...settings.config.tls, behind });
}

/* What people would use instead: both count. */
async function startPair(stand, settings) {
  const sluice = await startSluice(stand, { ...settings, config: {} });
  const nginx = await startNginxTls(stand, settings, sluice.port);
  const both = [nginx, sluice];
  return { ...nginx, pids: both.flatMap(({ pids }) => pids),
    async end() { for (const one of both) await one.end(); } };
}

const always = () => null;

export const SUBJECTS = {
  floor: { name: 'the floor', missing: always, start: startFloor },
  floorAgain: { name: 'the floor, again', missing: always, start: startFloor },
  floorEach: {
    name: 'the floor, one `send()` per publication', missing: always,
    start: (stand, settings) => startFloor(stand, settings, '--send-each') },
  floorPerChannel: {
    name: 'the floor, a channel each', missing: always,
    start: (stand, settings) => startFloor(stand, settings, '--per-channel') },
  sluice: { name: '**Sluice**', missing: always, start: startSluice },
  nchan: {
    name: 'Nchan (nginx), no sessions', start: startNchan,
    missing: () => (NCHAN ? null : 'its module is not installed (deploy/setup bench)') },
  nginxTls: { name: 'nginx', missing: hasNginx, start: startNginxTls },
  pair: { name: 'nginx ends TLS, a plain Sluice behind it', missing: hasNginx, start: startPair },
  nothing: { name: 'no server', missing: always, start: () => ({ port: 0, pids: [], load: {}, end() {} }) },
  ws: { name: '`ws` + express-session + connect-redis', missing: missingWs, start: startWs },
};
