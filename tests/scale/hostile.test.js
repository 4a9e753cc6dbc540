/* Clients that want to make the gateway grow, on the release build: its memory stays where it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { memoryOf } from '../support/program.js';
import { OPCODE, frame, handshake } from '../support/raw_client.js';
import { stand } from '../support/stand.js';
import { until } from '../support/wait.js';

const MIB = 1 << 20;
const GROWTH = 8 * MIB;

/* Writes `bytes` to each of `n` clients who read nothing, until the gateway takes no more of it or
 * has ended the connection. */
async function flood(sluice, n, bytes, prepare) {
  const clients = await Promise.all(Array.from({ length: n }, () => sluice.connect()));
  await Promise.all(clients.map(prepare));
  for (const { socket } of clients) socket.pause();
  for (const { socket } of clients) socket.write(bytes);
  let left = -1;
  await until(async () => {
    const before = left;
    left = clients.reduce((sum, { socket }) => sum + (socket.destroyed ? 0 : socket.writableLength), 0);
    await sluice.admin('/livez');
    return left === 0 || left === before;
  }, { what: 'the flood is over', within: 20000 });
}

async function assertServes({ redis, sluice, cookie }) {
  const browser = await sluice.open({ cookie });
  await redis.cli('PUBLISH', 'news', 'alive');
  assert.equal(await browser.next(), 'alive');
  browser.terminate();
}

async function assertStaysSmall(t, place, n, bytes, prepare) {
  const before = memoryOf(place.sluice.program.pid);
  await flood(place.sluice, n, bytes, prepare);
  const growth = memoryOf(place.sluice.program.pid) - before;
  t.diagnostic(`${n} clients sent ${Math.round(bytes.length / MIB)} MiB each: grown by ${Math.round(growth / 1024)} KiB`);
  assert.ok(growth < GROWTH, `${growth} bytes`);
  await assertServes(place);
}

test('pings without end from clients that read no pong', async t => {
  const place = await stand(t);
  const pings = Buffer.concat(Array(2000).fill(frame(OPCODE.ping, Buffer.alloc(125))));
  await assertStaysSmall(t, place, 10, Buffer.concat(Array(40).fill(pings)),
    client => client.open({ cookie: place.cookie }));
});

test('messages without end, whole and in fragments', async t => {
  const place = await stand(t);
  const open = client => client.open({ cookie: place.cookie });
  await assertStaysSmall(t, place, 10, Buffer.concat(Array(200).fill(frame(OPCODE.text, 'x'.repeat(60000)))), open);
  const fragments = Buffer.concat(Array(200000).fill(frame(OPCODE.continuation, 'x', { fin: false })));
  await assertStaysSmall(t, place, 10,
    Buffer.concat([frame(OPCODE.text, 'x', { fin: false }), fragments]), open);
});

test('requests without an end', async t => {
  const place = await stand(t);
  const endless = Buffer.from(`GET /ws HTTP/1.1\r\nX-Endless: ${'x'.repeat(20 * MIB)}`);
  await assertStaysSmall(t, place, 10, endless, () => {});
});

test('requests one behind the other, which a browser never sends', async t => {
  const place = await stand(t);
  await assertStaysSmall(t, place, 10, Buffer.from(handshake().repeat(50000)), () => {});
});
