/* Session tickets with secrets that gateways share: a client resumes its TLS session at any of them. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { RSA, makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { folder } from '../support/folder.js';
import { RawClient, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { configuration, startSluice } from '../support/sluice.js';
import { until, withResolvers } from '../support/wait.js';

const [NEW, OLD, OTHER] = ['new', 'old', 'other'].map(name => `${name} secret, which is long enough to be one`);
const redis = await startRedis(file);
const cookie = await logIn(redis);
const certificates = await makeCertificates(file);

const tls = (ticket_secrets, { certificate, key } = certificates) => ({ tls: { certificate, key, ticket_secrets } });
const start = (t, ...given) => startSluice(t, redis.url, tls(...given));

/* Logs in, and returns whether a session was resumed, with the one for the next time. */
async function visit(sluice, options = {}) {
  const { promise, resolve, reject } = withResolvers();
  const socket = connectTls({ host: '127.0.0.1', port: sluice.port, servername: 'localhost', rejectUnauthorized: false, ...options });
  socket.on('secureConnect', resolve);
  socket.on('error', reject);
  await promise;
  const client = new RawClient(socket);
  client.write(handshake({ headers: { Cookie: cookie } }));
  assert.equal((await client.answer()).status, 101);
  const seen = { resumed: socket.isSessionReused(), session: socket.getSession() };
  client.destroy();
  return seen;
}

async function reload(sluice, own) {
  const told = () => sluice.program.stderr.filter(line => /configuration reloaded/.test(line)).length;
  const before = told();
  await writeFile(sluice.configFile, JSON.stringify(configuration(redis.url, own)));
  sluice.hangUp();
  await until(() => told() > before, { what: 'the configuration is reloaded' });
}

for (const maxVersion of ['TLSv1.2', 'TLSv1.3']) {
  const crosses = async (from, to) => {
    const { session } = await visit(from, { maxVersion });
    return (await visit(to, { maxVersion, session })).resumed;
  };

  test(`a session resumes at another gateway with the same secret, up to ${maxVersion}`, async t => {
    const secret = join(await folder(t), 'secret');
    await writeFile(secret, `${NEW}\n`);
    const [first, second, third] = [await start(t, NEW), await start(t, [`file:${secret}`]), await start(t, OTHER)];
    assert.equal(await crosses(first, second), true);
    assert.equal(await crosses(second, first), true);
    assert.equal(await crosses(first, third), false);
  });

  test(`secrets are rotated by reloads, up to ${maxVersion}`, async t => {
    const [first, second] = [await start(t, [OLD]), await start(t, [OLD])];
    const comesToCross = (from, to) => until(() => crosses(from, to), { what: 'a session resumes' });
    await reload(first, tls([OLD, NEW]));
    await comesToCross(first, second);
    await reload(second, tls([NEW, OLD]));
    await comesToCross(second, first);
    assert.equal(await crosses(first, second), true);
    const { session } = await visit(first, { maxVersion });
    await reload(first, tls([NEW]));
    await reload(second, tls([NEW]));
    await until(async () => !(await visit(second, { maxVersion, session })).resumed, { what: 'a full handshake' });
    await comesToCross(first, second);
  });

  test(`a session ends with the certificate, up to ${maxVersion}`, async t => {
    const [other, rsa] = [await makeCertificates(t), await makeCertificates(t, RSA)];
    const sluice = await start(t, NEW);
    for (const gateway of [await start(t, NEW, other), await start(t, NEW, rsa)]) {
      assert.equal(await crosses(sluice, gateway), false);
      assert.equal(await crosses(gateway, sluice), false);
    }
  });

  test(`without secrets a session resumes at its own gateway only, up to ${maxVersion}`, async t => {
    const [first, second] = [await start(t), await start(t, [])];
    assert.equal(await crosses(first, first), true);
    assert.equal(await crosses(first, second), false);
  });
}

/* A session keeps its suite. OpenSSL gives up if a server resumes it with another one. */
test('a client that has learned a suite which the server prefers makes a full handshake', async t => {
  const sluice = await start(t, NEW);
  const [lesser, preferred] = ['ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-AES128-GCM-SHA256'];
  const visitWith = (ciphers, session) => visit(sluice, { maxVersion: 'TLSv1.2', ciphers, session });
  const { session } = await visitWith(lesser);
  assert.equal((await visitWith(lesser, session)).resumed, true);
  assert.equal((await visitWith(`${lesser}:${preferred}`, session)).resumed, false);
});
