/* permessage-deflate (RFC 7692): what the gateway agrees to, and what it does with compressed messages from a
 * browser. */
import assert from 'node:assert/strict';
import { deflateRawSync, constants } from 'node:zlib';
import { before, describe, test } from 'node:test';
import { file } from '../support/ending.js';
import { OPCODE } from '../support/raw_client.js';
import { stand } from '../support/stand.js';

const OFFER = 'permessage-deflate; client_max_window_bits';
const AGREED = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
const RSV1 = { rsv: 4 };
const { text, binary, continuation, ping, pong } = OPCODE;

let sluice, cookie;
before(async () => {
  ({ sluice, cookie } = await stand(file, { compression: { enabled: true } }));
});

async function opened(extensions = OFFER) {
  const client = await sluice.connect();
  const { headers } = await client.open({ cookie, headers: { 'Sec-WebSocket-Extensions': extensions } });
  return { client, agreed: headers['sec-websocket-extensions'] };
}

function compressed(payload) {
  return deflateRawSync(payload, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

describe('the agreement for', () => {
  const offers = [
    [OFFER, AGREED],
    ['permessage-deflate; server_max_window_bits=10', `${AGREED}; server_max_window_bits=10`],
    ['permessage-deflate; server_max_window_bits=7, permessage-deflate', AGREED],
    [['x', 'permessage-deflate'], AGREED],
    ['permessage-deflate; server_max_window_bits=16', undefined],
    ['x-webkit-deflate-frame', undefined],
    [null, undefined],
  ];
  for (const [offer, answer] of offers)
    test(`${offer}`, async () => {
      const { client, agreed } = await opened(offer);
      assert.equal(agreed, answer);
      client.destroy();
    });

  test('a header with a syntax error is refused', async () => {
    await assert.rejects(opened('permessage-deflate;'), /refused with 400: Sec-WebSocket-Extensions/);
  });
});

test('a compressed message is read and dropped, also in fragments', async () => {
  const { client } = await opened();
  const message = compressed('a message, a message, a message');
  client.send(text, message, RSV1);
  client.send(text, message.subarray(0, 5), { ...RSV1, fin: false });
  client.send(ping, 'between');
  client.send(continuation, message.subarray(5));
  client.send(ping, 'behind');
  for (const payload of ['between', 'behind']) {
    const answer = await client.frame();
    assert.deepEqual([answer.opcode, answer.payload.toString()], [pong, payload]);
  }
  client.destroy();
});

const failures = [
  ['RSV1 without permessage-deflate', null, text, compressed('x'), RSV1, 1002],
  ['RSV1 on a ping', OFFER, ping, compressed('x'), RSV1, 1002],
  ['text that is not UTF-8', OFFER, text, compressed(Buffer.from([0xff])), RSV1, 1007],
  ['data that is not deflate', OFFER, binary, Buffer.from([6]), RSV1, 1007],
  ['a bomb', OFFER, binary, compressed(Buffer.alloc(1 << 24)), RSV1, 1009],
];
describe('closes the connection for', () => {
  for (const [name, offer, opcode, payload, options, code] of failures)
    test(`${name}: ${code}`, async () => {
      const { client } = await opened(offer);
      client.send(opcode, payload, options);
      assert.equal((await client.closing()).code, code);
      client.destroy();
    });
});
