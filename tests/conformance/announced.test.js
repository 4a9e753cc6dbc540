/* RFC 6455 §10.4: an announced length costs nothing until the bytes arrive. Many connections at once
 * announce the largest message, and hold little more than the bytes that they have sent of it. */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { before, test } from 'node:test';
import { handshake } from '../support/raw_client.js';
import { file } from '../support/ending.js';
import { startRedis } from '../support/redis.js';
import { startSluice } from '../support/sluice.js';
import { Line, TARGET } from './conversation.js';
import { begun, binary, continuation, f, filled, part, ping, text } from './bytes.js';

const KiB = 1024;
const LARGEST = 16384 * KiB;
const CONNECTIONS = 200;
const OFFER = { 'Sec-WebSocket-Extensions': 'permessage-deflate' };

let sluice;
before(async () => {
  const redis = await startRedis(file);
  sluice = await startSluice(file, redis.url, { workers: 1, heartbeat: { interval: 0 }, compression: { enabled: true } });
});

/* Resident memory, and the size of the address space. */
async function memory() {
  const status = await readFile(`/proc/${sluice.program.process.pid}/status`, 'utf8');
  const [, size] = /^VmSize:\s+(\d+) kB$/m.exec(status);
  const [, resident] = /^VmRSS:\s+(\d+) kB$/m.exec(status);
  return { size: size * KiB, resident: resident * KiB };
}

async function open(t, headers) {
  const line = await Line.open(sluice.port);
  t.after(() => line.socket.destroy());
  line.socket.write(handshake({ target: TARGET, headers }));
  await line.answered();
  return line;
}

/* A worker reads its sockets in turn: once a later ping has been answered twice, everything before it has been
 * read. */
async function allRead(t) {
  const line = await open(t, {});
  for (const count of [1, 2]) {
    line.socket.write(f(ping));
    await line.come(count);
  }
}

/* name, bytes sent, how much each connection may hold */
const ANNOUNCEMENTS = [
  ['a header', begun(binary, '', LARGEST), 8 * KiB],
  ['a header and 100 bytes', begun(text, filled(100).fill('x'), LARGEST - 100), 8 * KiB],
  ['a fragment and the header of the rest', Buffer.concat([part(binary, 'x'), begun(continuation, '', LARGEST - 1)]), 8 * KiB],
  ['a header and 5,000 bytes', begun(binary, filled(5000), LARGEST - 5000), 24 * KiB],
  ['a compressed message\'s header', begun(binary, '', LARGEST).with(0, 0xc2), 8 * KiB],
  ['a compressed message\'s header and an empty block', begun(binary, Buffer.from([0, 0, 0, 0xff, 0xff]), LARGEST - 5).with(0, 0xc2), 64 * KiB],
];

for (const [name, bytes, limit] of ANNOUNCEMENTS)
  test(`${CONNECTIONS} announcements of 16 MiB: ${name}`, async t => {
    const lines = [];
    for (let i = 0; i < CONNECTIONS; i++) lines.push(await open(t, OFFER));
    await allRead(t);
    const before = await memory();
    for (const line of lines) line.socket.write(bytes);
    await allRead(t);
    const after = await memory();
    assert.ok(after.resident - before.resident < CONNECTIONS * limit, `${(after.resident - before.resident) / CONNECTIONS} bytes each`);
    assert.ok(after.size - before.size < CONNECTIONS * LARGEST / 10, `${(after.size - before.size) / CONNECTIONS} bytes asked for by each`);
    t.diagnostic(`${name}: ${Math.max(0, Math.round((after.resident - before.resident) / CONNECTIONS))} bytes each`);
    assert.ok(lines.every(({ isEnded }) => !isEnded), 'all wait for the rest');
  });
