/* RFC 6455 §5 and §7.4 from the outside: the gateway's answers to valid and invalid frames. */
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { OPCODE, closePayload, frame } from '../support/raw_client.js';
import { stand } from '../support/stand.js';

let sluice, cookie;
before(async () => {
  ({ sluice, cookie } = await stand(file));
});

async function opened() {
  const client = await sluice.connect();
  await client.open({ cookie });
  return client;
}

const { text, binary, continuation, close, ping, pong } = OPCODE;
const half = Buffer.from('€').subarray(0, 1);

const failures = {
  1002: {
    'an unmasked frame': [frame(text, 'x', { mask: null })],
    'RSV1': [frame(text, 'x', { rsv: 4 })],
    'RSV2': [frame(text, 'x', { rsv: 2 })],
    'RSV3': [frame(text, 'x', { rsv: 1 })],
    'the reserved opcode 3': [frame(3, 'x')],
    'the reserved opcode 11': [frame(11, 'x')],
    'a continuation without a message': [frame(continuation, 'x')],
    'a new message inside a fragmented one': [frame(text, 'a', { fin: false }), frame(text, 'b')],
    'a fragmented ping': [frame(ping, 'x', { fin: false })],
    'a ping of 126 bytes': [frame(ping, Buffer.alloc(126))],
    'a close payload of one byte': [frame(close, Buffer.alloc(1))],
    ...Object.fromEntries([0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535].map(
      code => [`close code ${code}`, [frame(close, closePayload(code))]])),
  },
  1007: {
    'a text message that is not UTF-8': [frame(text, Buffer.from([0xff]))],
    'a text message that ends inside a character': [frame(text, half)],
    'a fragmented text message that is not UTF-8':
      [frame(text, half, { fin: false }), frame(continuation, 'x')],
    'a close reason that is not UTF-8': [frame(close, Buffer.from([0x03, 0xe8, 0xff]))],
  },
  1009: {
    'a message longer than limits.message_bytes': [frame(binary, Buffer.alloc(65537))],
    'fragments that are too long together': [
      frame(binary, Buffer.alloc(40000), { fin: false }), frame(continuation, Buffer.alloc(40000))],
    'a header that announces too much':
      [Buffer.from([0x82, 0xff, 0, 0, 0, 1, 0, 0, 0, 0, 1, 2, 3, 4])],
  },
};
for (const [code, cases] of Object.entries(failures))
  describe(`fails the connection with ${code} for`, () => {
    for (const [what, frames] of Object.entries(cases))
      test(what, async () => {
        const client = await opened();
        client.write(...frames);
        assert.equal((await client.closing()).code, Number(code));
        await client.ended();
      });
  });

describe('echoes a close frame and ends the connection', () => {
  for (const [code, reason] of [[1000, 'bye'], [1001, ''], [1003, ''], [1014, ''], [3000, 'ä€🙂'], [4999, 'x'.repeat(123)]])
    test(`${code} ${reason.slice(0, 10)}`, async () => {
      const client = await opened();
      client.send(close, closePayload(code, reason));
      assert.equal((await client.closing()).code, code);
      await client.ended({ within: 1000 });
    });

  test('without a code', async () => {
    const client = await opened();
    client.send(close);
    assert.deepEqual(await client.closing(), { code: null, reason: '' });
    await client.ended({ within: 1000 });
  });

  test('as the npm package ws sees it', async () => {
    const browser = await sluice.open({ cookie });
    assert.equal((await browser.close(4000, 'done')).code, 4000);
  });
});

test('answers a ping with its payload, also between the fragments of a message', async () => {
  const client = await opened();
  client.send(text, 'a', { fin: false });
  client.send(ping, 'between');
  client.send(continuation, 'b');
  client.send(ping, Buffer.alloc(125, 7));
  assert.equal((await client.frame()).payload.toString(), 'between');
  const { opcode, payload } = await client.frame();
  assert.equal(opcode, pong);
  assert.ok(payload.equals(Buffer.alloc(125, 7)));
  client.destroy();
});

test('ignores an unsolicited pong', async () => {
  const client = await opened();
  client.send(pong, 'x');
  client.send(ping, 'y');
  assert.equal((await client.frame()).payload.toString(), 'y');
  client.destroy();
});

test('accepts a message of exactly limits.message_bytes', async () => {
  const client = await opened();
  client.send(binary, Buffer.alloc(65536));
  client.send(ping, 'after');
  assert.equal((await client.frame()).payload.toString(), 'after');
  client.destroy();
});

test('reads frames that arrive byte by byte', async () => {
  const client = await opened();
  for (const byte of Buffer.concat([frame(text, 'slowly'), frame(ping, 'dot')])) {
    client.write([byte]);
    await new Promise(setImmediate);
  }
  assert.equal((await client.frame()).payload.toString(), 'dot');
  client.destroy();
});

test('ignores what follows a close frame', async () => {
  const client = await opened();
  client.write(frame(close, closePayload(1000)), frame(ping, 'late'), Buffer.from('noise'));
  assert.equal((await client.frame()).opcode, close);
  await client.ended();
  assert.equal(client.bytes.length, 0);
});

test('counts closes by their code', async () => {
  const series = 'sluice_closes_total{code="1001"}';
  const browser = await sluice.open({ cookie });
  const before = await sluice.metric(series);
  await browser.close(1001);
  await sluice.reaches(series, before + 1);
});
