/* limits.incoming_bytes and limits.message_seconds: what clients have begun to send and have not finished. */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { before, test } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { constants, deflateRawSync } from 'node:zlib';
import { Browser } from '../support/browser.js';
import { makeCertificates } from '../support/certificates.js';
import { file } from '../support/ending.js';
import { folder } from '../support/folder.js';
import { OPCODE, frame, handshake } from '../support/raw_client.js';
import { startRedis } from '../support/redis.js';
import { logIn } from '../support/sessions.js';
import { configuration, startSluice } from '../support/sluice.js';
import { stand } from '../support/stand.js';
import { secondsPass } from '../support/visitors.js';
import { until, withResolvers } from '../support/wait.js';

const KIB = 1024, MIB = 1 << 20;
const V1 = { 'Sec-WebSocket-Protocol': 'sluice.v1' };
const COMPRESSED = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };
/* The beginning of a compressed message, for which zlib needs its window. */
const DEFLATE_BEGUN = frame(
  OPCODE.binary, deflateRawSync('begun', { finishFlush: constants.Z_SYNC_FLUSH }), { fin: false, rsv: 4 });

let redis, cookie;
before(async () => {
  redis = await startRedis(file);
  cookie = await logIn(redis);
});

/* Without pings, so that each frame from the gateway is an answer. */
const start = (t, limits, config = {}) =>
  startSluice(t, redis.url, { limits, heartbeat: { interval: 0 }, ...config });

const times = (n, make) => Promise.all(Array.from({ length: n }, make));
const incoming = sluice => sluice.metric('sluice_incoming_bytes');

async function openRaw(sluice, headers = {}) {
  const client = await sluice.connect();
  await client.open({ cookie, headers });
  return client;
}

/* A sluice.v1 connection that has received its welcome. */
async function openV1(sluice) {
  const client = await openRaw(sluice, V1);
  assert.equal((await client.frame()).opcode, OPCODE.text);
  return client;
}

const begin = (client, bytes, opcode = OPCODE.text) => client.send(opcode, Buffer.alloc(bytes, 'x'), { fin: false });

/* The gateway has read what the client sent. */
async function isRead(client) {
  client.send(OPCODE.ping, 'read?');
  assert.equal((await client.frame()).payload.toString(), 'read?');
}

/* How one of these connections was closed; nothing else was sent to them. */
async function closingOfOne(clients) {
  const closed = await until(() => clients.find(one => one.bytes.length), { what: 'one is closed' });
  return closed.closing();
}

const nothingIsHeld = sluice => until(async () => (await incoming(sluice)) === 0, { what: 'nothing is held' });

test('400 unfinished messages of 65,000 bytes close no browser that lags', async t => {
  const PAYLOAD = Buffer.alloc(64 * KIB, 'x'), COUNT = 400, PUBLISHED = 64;
  const socket = join(await folder(t), 'sluice.sock');
  const own = await stand(t, {
    listen: `unix:${socket}`, limits: { buffered_bytes: 16 * MIB, queue_bytes: 64 * MIB } });
  const publisher = await own.redis.client();
  const publish = payload => publisher.publish('user:u2', payload);
  const lagging = await own.sluice.connect();
  await lagging.open({ cookie: await logIn(own.redis, { userId: 'u2' }) });
  lagging.socket.pause();
  for (let i = 0; i < COUNT; i++) {
    const client = await own.sluice.connect();
    await client.open({ cookie: own.cookie, headers: V1 });
    begin(client, 65000);
  }
  for (let i = 0; i < PUBLISHED - 1; i++) await publish(PAYLOAD);
  /* longer than a queue may be stuck while memory is short */
  await secondsPass(own.redis, 2);
  await publish(PAYLOAD);
  await publish('last');
  lagging.socket.resume();
  let received = 0, text;
  do {
    const { opcode, payload } = await lagging.frame();
    assert.notEqual(opcode, OPCODE.close, `closed: ${payload.toString('latin1')}`);
    text = payload.toString('latin1');
    received += payload.length === PAYLOAD.length;
  } while (text !== 'last');
  assert.equal(received, PUBLISHED);
});

test('a command longer than limits.command_bytes is refused by its header', async t => {
  const sluice = await start(t, { command_bytes: 1000 });
  const whole = await openV1(sluice);
  whole.send(OPCODE.text, JSON.stringify({ type: 'ping' }).padEnd(1000));
  assert.deepEqual(JSON.parse((await whole.frame()).payload), { type: 'pong' });
  whole.write(frame(OPCODE.text, Buffer.alloc(1001)).subarray(0, 8));
  assert.deepEqual(await whole.closing(), { code: 1009, reason: 'longer than limits.command_bytes' });
  const pieces = await openV1(sluice);
  begin(pieces, 600);
  pieces.write(frame(OPCODE.continuation, Buffer.alloc(401)).subarray(0, 8));
  assert.deepEqual(await pieces.closing(), { code: 1009, reason: 'longer than limits.command_bytes' });
  assert.equal(await sluice.hits('command_bytes'), 2);
  assert.equal(await sluice.hits('message_bytes'), 0);
});

test('a plain connection holds nothing of a message, whose text is checked all the same', async t => {
  const sluice = await start(t, {});
  const client = await openRaw(sluice);
  begin(client, 60000);
  await isRead(client);
  assert.equal(await incoming(sluice), 0);
  client.send(OPCODE.continuation, Buffer.from([0xff]));
  assert.equal((await client.closing()).code, 1007);
});

test('sluice_incoming_bytes counts requests, messages and inflaters, until they end', async t => {
  const sluice = await start(t, { handshake_seconds: 60 }, { compression: { enabled: true } });
  assert.equal(await incoming(sluice), 0);
  const ends = [];
  async function adds(what, least, most, act) {
    const before = await incoming(sluice);
    ends.push(await act());
    await until(async () => (await incoming(sluice)) >= before + least, { what: `${what} is counted` });
    const added = (await incoming(sluice)) - before;
    assert.ok(added <= most, `${what}: ${added} bytes`);
  }
  await adds('a connection', 2000, 4000, () => sluice.connect());
  await adds('8 KB of header', 9000, 20000, async () => {
    const client = await sluice.connect();
    client.write(handshake({ headers: { 'X-Long': 'x'.repeat(7000) } }).slice(0, -2));
    return client;
  });
  await adds('a command', 3000, 8300, async () => {
    const client = await openV1(sluice);
    begin(client, 3000);
    return client;
  });
  await adds('a compressed message', 30000, 48000, async () => {
    const client = await openRaw(sluice, COMPRESSED);
    client.write(DEFLATE_BEGUN);
    return client;
  });
  await adds('a ping', 100, 1000, async () => {
    const client = await openRaw(sluice);
    client.write(frame(OPCODE.ping, Buffer.alloc(100)).subarray(0, 50));
    return client;
  });
  const [silent, late, command, compressed, ping] = ends;
  silent.destroy();
  late.write('\r\n');
  assert.equal((await late.answer()).status, 401);
  command.send(OPCODE.continuation, '');
  assert.equal(JSON.parse((await command.frame()).payload).code, 'bad_request');
  compressed.send(OPCODE.continuation, Buffer.alloc(70000));
  assert.equal((await compressed.closing()).code, 1007);
  ping.destroy();
  await nothingIsHeld(sluice);
  await isRead(command);
});

/* Who holds little, or nothing, stays. */
async function floods(sluice, large) {
  const quiet = await openRaw(sluice);
  const modest = await times(20, async () => {
    const client = await openV1(sluice);
    begin(client, 10);
    await isRead(client);
    return client;
  });
  await large();
  await until(async () => (await sluice.hits('incoming_bytes')) > 0, { what: 'somebody is closed' });
  await isRead(quiet);
  for (const one of modest) await isRead(one);
}

test('limits.incoming_bytes: those that hold most messages are closed with 1013, others stay', async t => {
  const sluice = await start(t, { incoming_bytes: MIB });
  const large = [];
  await floods(sluice, async () => {
    for (let i = 0; i < 300; i++) {
      const client = await openV1(sluice);
      begin(client, 4096);
      large.push(client);
    }
  });
  await until(async () => (await sluice.hits('incoming_bytes')) >= 50, { what: 'as many as needed are closed' });
  assert.ok((await incoming(sluice)) <= MIB, `${await incoming(sluice)} bytes`);
  const hits = await sluice.hits('incoming_bytes');
  assert.ok(hits < 290, `${hits} were closed`);
  assert.deepEqual(await closingOfOne(large), { code: 1013, reason: 'overload' });
  await isRead(large.at(-1));
  for (const one of large) one.destroy();
});

test('limits.incoming_bytes: compressed messages that do not end', async t => {
  const sluice = await start(t, { incoming_bytes: MIB }, { compression: { enabled: true } });
  const large = [];
  await floods(sluice, async () => {
    for (let i = 0; i < 60; i++) {
      const client = await openRaw(sluice, COMPRESSED);
      client.write(DEFLATE_BEGUN);
      large.push(client);
    }
  });
  await until(async () => (await sluice.hits('incoming_bytes')) >= 30, { what: 'as many as needed are closed' });
  assert.ok((await incoming(sluice)) <= MIB, `${await incoming(sluice)} bytes`);
  assert.deepEqual(await closingOfOne(large), { code: 1013, reason: 'overload' });
});

test('limits.incoming_bytes: requests that do not end make room for those that do', async t => {
  const COUNT = 1500;
  const sluice = await start(t, { incoming_bytes: MIB, handshake_seconds: 60 });
  const quiet = await openRaw(sluice);
  const part = handshake({ headers: { Cookie: cookie } }).slice(0, -2);
  const half = [];
  let worst = 0;
  for (let round = 0; round < COUNT / 100; round++) {
    const some = await times(100, () => sluice.connect());
    for (const one of some.slice(0, 90)) one.write(part);
    half.push(...some);
    worst = Math.max(worst, await incoming(sluice));
    await (await openRaw(sluice)).destroy();
  }
  assert.ok(worst <= MIB + 100 * 4 * KIB, `${worst} bytes`);
  await until(async () => (await incoming(sluice)) < MIB, { what: 'the rest is below the limit' });
  const begun = half.find(one => one.isEnded && one.bytes.length > 0);
  const answer = await begun.answer();
  assert.deepEqual([answer.status, answer.headers['retry-after'], answer.body], [503, '1', 'overloaded\n']);
  assert.ok(half.some(one => one.isEnded && one.bytes.length === 0), 'a silent one was closed');
  await isRead(quiet);
  for (const one of half) one.destroy();
  await nothingIsHeld(sluice);
});

/* What a TLS client sends first. */
function clientHello() {
  const { promise, resolve } = withResolvers();
  const socket = new Duplex({ read() {}, write: bytes => resolve(Buffer.from(bytes)) });
  connectTls({ socket, servername: 'localhost' });
  return promise;
}

test('limits.incoming_bytes: TLS handshakes count from their ClientHello on', async t => {
  const certificates = await makeCertificates(t);
  const sluice = await start(t, { incoming_bytes: 2 * MIB, handshake_seconds: 60 }, {
    workers: 1, tls: { certificate: certificates.certificate, key: certificates.key } });
  const openBrowser = () => Browser.open(`wss://127.0.0.1:${sluice.port}/ws`, {
    cookie, ca: certificates.authorityText, servername: 'localhost' });
  const quiet = await openBrowser();
  await nothingIsHeld(sluice);
  const hello = await clientHello();
  const handshakes = await times(20, () => sluice.connect());
  assert.ok((await incoming(sluice)) < 20 * 4 * KIB, 'a client that sends nothing counts little');
  for (const one of handshakes) one.write(hello);
  await until(async () => (await incoming(sluice)) > 20 * 24 * KIB, { what: 'handshakes count' });
  while (handshakes.length < 200) {
    const client = await sluice.connect();
    client.write(hello);
    handshakes.push(client);
  }
  await until(async () => (await sluice.hits('incoming_bytes')) > 100, { what: 'most are closed' });
  assert.ok((await incoming(sluice)) < 2 * MIB, `${await incoming(sluice)} bytes`);
  assert.ok(handshakes[0].isEnded, 'the oldest was closed');
  const another = await openBrowser();
  assert.ok(quiet.isOpen && another.isOpen);
  for (const one of handshakes) one.destroy();
  await nothingIsHeld(sluice);
});

test('limits.incoming_bytes: a TLS session counts until the client of a refused request has gone', async t => {
  const N = 20;
  const certificates = await makeCertificates(t);
  const sluice = await start(t, {}, {
    workers: 1, tls: { certificate: certificates.certificate, key: certificates.key } });
  const refused = await times(N, async () => {
    const { promise, resolve, reject } = withResolvers();
    const client = connectTls({
      port: sluice.port, host: '127.0.0.1', servername: 'localhost', ca: certificates.authorityText, allowHalfOpen: true });
    client.on('error', reject);
    client.once('data', resolve);
    client.write('GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n');
    assert.match((await promise).toString(), / 404 /);
    return client;
  });
  await until(async () => (await incoming(sluice)) > 24 * KIB, { what: 'those that linger count' });
  for (const client of refused) client.on('error', () => {}).destroy();
  await nothingIsHeld(sluice);
});

test('limits.incoming_bytes: a reload to less counts at once', async t => {
  const sluice = await start(t, {});
  const held = [];
  for (let i = 0; i < 400; i++) {
    const client = await openV1(sluice);
    begin(client, 4096);
    held.push(client);
  }
  await Promise.all(held.map(isRead));
  assert.ok((await incoming(sluice)) > 1.5 * MIB);
  const limits = { incoming_bytes: MIB };
  await writeFile(sluice.configFile, JSON.stringify(configuration(redis.url, { limits, heartbeat: { interval: 0 } })));
  sluice.hangUp();
  await until(async () => (await incoming(sluice)) < MIB, { what: 'it is below the new limit' });
  assert.deepEqual(await closingOfOne(held), { code: 1013, reason: 'overload' });
});

test('limits.message_seconds: neither bytes now and then nor pings give a message more time', async t => {
  const sluice = await start(t, { message_seconds: 1, fragments: 1 << 20, frames_per_second: 0 });
  const client = await openV1(sluice);
  begin(client, 1);
  let over = false;
  const closing = client.closing(({ opcode }) => assert.equal(opcode, OPCODE.pong)).finally(() => (over = true));
  while (!over) {
    client.write(frame(OPCODE.continuation, 'x', { fin: false }), frame(OPCODE.ping, 'still here'));
    await incoming(sluice);
  }
  assert.deepEqual(await closing, { code: 1008, reason: 'unfinished message' });
  assert.equal(await sluice.hits('message_seconds'), 1);
  await nothingIsHeld(sluice);
});

test('limits.message_seconds: each message has its own time', async t => {
  const sluice = await start(t, { message_seconds: 1.5, frames_per_second: 0, commands_per_second: 1000000 });
  const client = await openV1(sluice);
  const end = frame(OPCODE.continuation, '');
  const next = frame(OPCODE.text, 'x', { fin: false });
  client.write(next);
  const ended = secondsPass(redis, 4);
  let over = false;
  ended.then(() => (over = true));
  while (!over) {
    client.write(end, next);
    assert.equal(JSON.parse((await client.frame()).payload).code, 'bad_request');
  }
  assert.equal(await sluice.hits('message_seconds'), 0);
});
