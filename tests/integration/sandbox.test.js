/* The sandbox of a release build: what is in force, what it forbids, and what goes on working in it. A build with
 * sanitizers has none, and only says so. The suite `sandbox` of tests/run has a release build, and the kernel must
 * have all of it. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { chmod, copyFile, mkdir, readFile, readdir, rename, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { makeCertificates } from '../support/certificates.js';
import { atEnd, file } from '../support/ending.js';
import { folder } from '../support/folder.js';
import { run } from '../support/program.js';
import { startRedis } from '../support/redis.js';
import { cookieFor, logIn } from '../support/sessions.js';
import { BINARY, Sluice, configuration, runSluice, startSluice } from '../support/sluice.js';
import { until, withResolvers } from '../support/wait.js';

const sanitized = /__(asan|tsan|msan)_init/.test(readFileSync(BINARY, 'latin1'));
delete process.env.SLUICE_SANDBOX; // these tests say themselves which sandbox they need
const redis = await startRedis(file);
const required = { sandbox: 'required', workers: 1 };

/* Fields of /proc/PID/status, of each thread. */
async function statusOf({ program: { pid } }) {
  const threads = await readdir(`/proc/${pid}/task`);
  return Promise.all(threads.map(async thread => {
    const text = await readFile(`/proc/${pid}/task/${thread}/status`, 'utf8');
    return Object.fromEntries(text.trim().split('\n').map(line => line.split(/:\s*/)));
  }));
}

/* Logs in, and receives a publication. */
async function works(sluice) {
  const cookie = await logIn(redis, {});
  const browser = await sluice.open({ cookie });
  await redis.cli('PUBLISH', 'news', 'in a box');
  assert.equal(await browser.next(), 'in a box');
  browser.terminate();
}

async function reload(sluice, line = /configuration reloaded/) {
  const told = () => sluice.program.stderr.filter(one => line.test(one)).length;
  const before = told();
  sluice.hangUp();
  await until(() => told() > before, { what: `${line} in the log` }).catch(error => {
    throw new Error(`${error.message}\n${sluice.log}`);
  });
}

if (sanitized) {
  test('a build with sanitizers has no sandbox, and says so', async t => {
    const sluice = await startSluice(t, redis.url, required);
    await sluice.program.line(/ info sandbox off because="a sanitizer"/);
    for (const { Seccomp } of await statusOf(sluice)) assert.equal(Seccomp, '0');
  });
} else {
  const library = join(await folder(file), 'intruder.so');
  const source = fileURLToPath(new URL('../support/intruder.c', import.meta.url));
  const { status, stderr } = await run('cc', ['-shared', '-fPIC', '-O1', '-o', library, source]);
  assert.equal(status, 0, stderr);

  const IN_FORCE = / info sandbox in force privacy=on seccomp=on landlock=[1-9]\d*$/;

  test('by default every thread is in it, and one line says so', async t => {
    const sluice = await startSluice(t, redis.url, { workers: 3 });
    await works(sluice);
    const threads = await statusOf(sluice);
    assert.ok(threads.length > 3, 'workers and resolver threads');
    for (const { NoNewPrivs, Seccomp } of threads) assert.deepEqual([NoNewPrivs, Seccomp], ['1', '2']);
    assert.equal(sluice.program.stderr.filter(line => IN_FORCE.test(line)).length, 1, sluice.log);
    assert.match(await readFile(`/proc/${sluice.program.pid}/limits`, 'utf8'), /^Max core file size +0 +0 /m);
  });

  test('off: the process is left as it was', async t => {
    const sluice = await startSluice(t, redis.url, { sandbox: 'off' });
    await sluice.program.line(/ info sandbox off because="the setting"/);
    for (const { NoNewPrivs, Seccomp } of await statusOf(sluice)) assert.deepEqual([NoNewPrivs, Seccomp], ['0', '0']);
  });

  test('--dev has none', async t => {
    const sluice = new Sluice(['--dev', '--listen', '127.0.0.1:0'], { SLUICE_SANDBOX: 'required' });
    atEnd(t, () => sluice.end());
    await sluice.program.line(/ info sandbox off because=--dev/);
    await sluice.program.line(/Sluice is running/);
  });

  test('an unprivileged process works in it, counts its descriptors, and is closed to its own user', async t => {
    const own = await folder(t);
    const config = join(own, 'sluice.json');
    await writeFile(config, JSON.stringify(configuration(redis.url, required)));
    const program = join(own, 'sluice');
    await copyFile(BINARY, program);
    await chmod(program, 0o755);
    await chmod(own, 0o755);
    const isRoot = process.getuid() === 0;
    const user = isRoot ? ['setpriv', `--reuid=65534`, `--regid=65534`, '--clear-groups', '--'] : [];
    const sluice = new Sluice(['--config', config], {}, [...user, 'env']);
    atEnd(t, () => sluice.end());
    await sluice.started();
    await works(sluice);
    assert.match(sluice.log, /sandbox in force/);
    const { uid } = await stat(`/proc/${sluice.program.pid}/environ`);
    assert.equal(uid, 0, 'what is private in /proc belongs to root');
  });

  test('refuses an intruder what a gateway never does, logs each call once, and goes on', async t => {
    const forbidden = await folder(t);
    const [secret, fresh, victim] = ['secret', 'fresh', 'victim'].map(name => join(forbidden, name));
    await writeFile(secret, 'secret');
    await writeFile(victim, 'victim');
    const local = join(await folder(t), 'local.sock');
    const server = createServer(socket => socket.destroy()).listen(local);
    atEnd(t, () => server.close());
    await once(server, 'listening');
    const sluice = await startSluice(t, redis.url, required, { env: {
      LD_PRELOAD: library, INTRUDER_READS: secret, INTRUDER_WRITES: fresh, INTRUDER_REMOVES: victim,
      INTRUDER_CONNECTS: local } });
    sluice.isIntruded = true;
    await works(sluice);
    const found = Object.fromEntries(sluice.program.stderr
      .map(line => /^intruder: (.*) (\w+)$/.exec(line)).filter(Boolean).map(([, what, how]) => [what, how]));
    assert.deepEqual(found, {
      read: 'EACCES', 'list /': 'EACCES', write: 'EPERM', remove: 'EPERM',
      execve: 'EPERM', 'execve again': 'EPERM', fork: 'EPERM', spawn: 'EPERM', vfork: 'EPERM', memfd: 'EPERM',
      'writable code': 'EPERM', 'new code': 'EPERM', ptrace: 'EPERM', kill: 'EPERM', tgkill: 'EPERM',
      'own by another': 'EPERM', 'signal of a descriptor': 'EPERM',
      'raw socket': 'EPERM', listen: 'EPERM', dumpable: 'EPERM', cores: 'EPERM',
      io_uring: 'ENOSYS', 'a call of tomorrow': 'ENOSYS', x32: 'ENOSYS',
      'read our own': 'done', 'connect to a socket': 'done', thread: 'done', 'look up': 'done',
    });
    assert.equal(await readFile(victim, 'utf8'), 'victim');
    await sluice.program.line(/the sandbox refused a system call number=\d+ name=execve /);
    await works(sluice);
    const calls = sluice.program.stderr.map(line => /refused a system call number=\d+ name=(\w+) /.exec(line)?.[1])
      .filter(Boolean);
    assert.deepEqual(calls.sort(), [...new Set(calls)], 'each once');
    for (const name of ['execve', 'ptrace', 'memfd_create', 'openat', 'socket']) assert.ok(calls.includes(name), name);
  });

  for (const [part, line] of [['landlock', /landlock="Function not implemented"/],
    ['seccomp', /seccomp="Function not implemented" landlock=\d/]]) {
    test(`auto: without ${part} the rest is in force, with a warning`, async t => {
      const sluice = await startSluice(t, redis.url, {}, { env: { LD_PRELOAD: library, INTRUDER_HIDES: part } });
      await sluice.program.line(new RegExp(` warn sandbox incomplete privacy=on .*${line.source}`));
      for (const { NoNewPrivs, Seccomp } of await statusOf(sluice))
        assert.deepEqual([NoNewPrivs, Seccomp], ['1', part === 'seccomp' ? '0' : '2']);
      await works(sluice);
    });

    test(`required: does not start without ${part}`, async t => {
      const config = join(await folder(t), 'sluice.json');
      await writeFile(config, JSON.stringify(configuration(redis.url, required)));
      const ended = await runSluice(['--config', config], { env: { LD_PRELOAD: library, INTRUDER_HIDES: part } });
      assert.equal(ended.status, 2);
      assert.match(ended.stderr, line);
      assert.match(ended.stderr, / error cannot start: the sandbox is incomplete /);
    });
  }

  test('removes its Unix socket at the end', async t => {
    const own = await folder(t);
    const path = join(own, 'sluice.sock');
    const sluice = await startSluice(t, redis.url, { ...required, listen: `unix:${path}` });
    assert.ok((await stat(path)).isSocket());
    assert.equal(await sluice.stop(), 0);
    assert.deepEqual(await readdir(own), []);
  });

  test('finds Redis by its host name, again after Redis was away', async t => {
    const own = await startRedis(t);
    const sluice = await startSluice(t, own.url.replace(/127\.0\.0\.1/, 'localhost'), required);
    await own.kill();
    await until(async () => (await sluice.admin('/readyz')).status === 503, { what: 'not ready' });
    await own.start();
    await sluice.ready();
  });

  const fresh = { cookie: cookieFor('reader', { secret: 'fresh' }) };

  /* What a mount of a ConfigMap and a Secret looks like: `..data` is a link to a folder, and is replaced. */
  async function mount(path, name, files) {
    await mkdir(join(path, name));
    for (const [one, text] of Object.entries(files)) await writeFile(join(path, name, one), text);
    await symlink(name, join(path, '..data_tmp'));
    await rename(join(path, '..data_tmp'), join(path, '..data'));
  }

  async function startWith(t, config) {
    const sluice = new Sluice(['--config', config]);
    atEnd(t, () => sluice.end());
    await sluice.started({ ready: false });
    await sluice.program.line(/redis link up link=subscribe/);
    return sluice;
  }

  test('reloads what Kubernetes has swapped', async t => {
    await logIn(redis, {}, { id: 'reader' });
    const path = await folder(t);
    const text = config => JSON.stringify(configuration(redis.url, { ...required, ...config }));
    const secrets = [`file:${join(path, 'secret')}`];
    await mount(path, '..2026_11_29', { 'sluice.json': text({ session: { secrets } }), secret: 'keyboard cat' });
    for (const name of ['sluice.json', 'secret']) await symlink(`..data/${name}`, join(path, name));
    const sluice = await startWith(t, join(path, 'sluice.json'));
    await assert.rejects(sluice.open(fresh), { status: 401 });
    await mount(path, '..2026_11_30', { 'sluice.json': text({ session: { secrets } }), secret: 'fresh' });
    await reload(sluice);
    (await until(() => sluice.open(fresh), { what: 'the new secret applies' })).terminate();
  });

  test('reloads a folder that was deployed beside the old one', async t => {
    await logIn(redis, {}, { id: 'reader' });
    const [releases, path] = [join(await folder(t), 'releases'), await folder(t)];
    for (const [name, secret] of [['1', 'keyboard cat'], ['2', 'fresh']]) {
      await mkdir(join(releases, name), { recursive: true });
      await writeFile(join(releases, name, 'sluice.json'),
        JSON.stringify(configuration(redis.url, { ...required, session: { secrets: [secret] } })));
    }
    await symlink(join(releases, '1'), join(path, 'current'));
    const sluice = await startWith(t, join(path, 'current', 'sluice.json'));
    await assert.rejects(sluice.open(fresh), { status: 401 });
    await symlink(join(releases, '2'), join(path, 'next'));
    await rename(join(path, 'next'), join(path, 'current'));
    await reload(sluice);
    (await until(() => sluice.open(fresh), { what: 'the new secret applies' })).terminate();
  });

  for (const [how, place] of [['by certbot, with links', placeAsCertbot], ['by renaming', placeByRename]])
    test(`presents a certificate that was renewed ${how}`, async t => {
      const [old, renewed] = [await makeCertificates(t), await makeCertificates(t)];
      const path = await folder(t);
      const tls = await place(path, old, 1);
      const sluice = await startSluice(t, redis.url, { ...required, tls });
      const trusts = authority => {
        const { promise, resolve } = withResolvers();
        const socket = connectTls({ host: '127.0.0.1', port: sluice.port, servername: 'localhost', ca: authority });
        socket.on('secureConnect', () => resolve(true));
        socket.on('error', () => resolve(false));
        return promise.finally(() => socket.destroy());
      };
      assert.equal(await trusts(old.authorityText), true);
      await place(path, renewed, 2);
      await reload(sluice);
      await until(() => trusts(renewed.authorityText), { what: 'the new certificate is presented' });
    });

  /* live/cert.pem -> ../archive/cert1.pem */
  async function placeAsCertbot(path, made, number) {
    const tls = {};
    for (const name of ['live', 'archive']) await mkdir(join(path, name), { recursive: true });
    for (const name of ['certificate', 'key']) {
      await copyFile(made[name], join(path, 'archive', `${name}${number}.pem`));
      await symlink(`../archive/${name}${number}.pem`, join(path, 'live', `${name}.new`));
      tls[name] = join(path, 'live', `${name}.pem`);
      await rename(join(path, 'live', `${name}.new`), tls[name]);
    }
    return tls;
  }

  async function placeByRename(path, made) {
    const tls = {};
    for (const name of ['certificate', 'key']) {
      await copyFile(made[name], join(path, `${name}.new`));
      tls[name] = join(path, `${name}.pem`);
      await rename(join(path, `${name}.new`), tls[name]);
    }
    return tls;
  }

  test('does not read a file in a folder that it did not know at the start, says so, and goes on', async t => {
    const elsewhere = join(await folder(t), 'secret');
    await writeFile(elsewhere, 'fresh');
    const sluice = await startSluice(t, redis.url, required);
    await writeFile(sluice.configFile,
      JSON.stringify(configuration(redis.url, { ...required, session: { secrets: [`file:${elsewhere}`] } })));
    await reload(sluice, /configuration not reloaded .*restart/);
    assert.match(sluice.log, new RegExp(`cannot read ${elsewhere}: Permission denied`));
    await works(sluice);
  });

  test('a change of the setting needs a restart', async t => {
    const sluice = await startSluice(t, redis.url, required);
    await writeFile(sluice.configFile, JSON.stringify(configuration(redis.url, { ...required, sandbox: 'off' })));
    await reload(sluice);
    assert.match(sluice.log, / warn configuration change needs a restart keys=".*\bsandbox"/);
  });
}
