/* RFC 6455 §4: requests, by what is changed in a good one, and the status that answers them; and
 * frames that come along with the request. */
import { ACCEPT, KEY } from '../support/raw_client.js';
import { binary, closing, f, filled, ping, pong, text } from './octets.js';

const answers = (status, cases) => Object.entries(cases).map(([name, request]) =>
  [`${name}: ${status}`, [], [], undefined, '', { request, status }]);
const headers = changed => ({ headers: changed });

const UPGRADED = { upgrade: 'websocket', connection: 'Upgrade', 'sec-websocket-accept': ACCEPT };
const early = { early: true };

export const opening = {
  '4.2.1 A request is read': [
    ['the answer has Upgrade, Connection and the RFC\'s accept key', [], [], undefined, '', { answer: UPGRADED }],
    ...answers(101, {
      'Upgrade in capitals': headers({ Upgrade: 'WEBSOCKET' }),
      'Upgrade in a list': headers({ Upgrade: 'h2c, websocket' }),
      'Connection in a list': headers({ Connection: 'keep-alive, Upgrade' }),
      'Connection in small letters': headers({ Connection: 'upgrade' }),
      'Connection in two lines': headers({ Connection: ['keep-alive', 'Upgrade'] }),
      'a key with bits behind its 16 octets': headers({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' }),
      'headers that nobody knows': headers({ 'X-Unknown': 'x', 'Sec-WebSocket-Unknown': 'y' }),
      'names in small letters': { headers: {
        'Sec-WebSocket-Key': null, 'sec-websocket-key': KEY, Host: null, host: 'gateway.test' } },
    }),
    ...answers(405, { 'POST': { method: 'POST' }, 'HEAD': { method: 'HEAD' } }),
    ...answers(400, {
      'HTTP/1.0': { version: 'HTTP/1.0' }, 'HTTP/2.0': { version: 'HTTP/2.0' },
      'no Host': headers({ Host: null }), 'two Hosts': headers({ Host: ['a.test', 'b.test'] }),
      'no Upgrade': headers({ Upgrade: null }), 'Upgrade to something else': headers({ Upgrade: 'websockets' }),
      'no Connection': headers({ Connection: null }), 'Connection without upgrade': headers({ Connection: 'keep-alive' }),
      'no key': headers({ 'Sec-WebSocket-Key': null }), 'two keys': headers({ 'Sec-WebSocket-Key': [KEY, KEY] }),
      'an empty key': headers({ 'Sec-WebSocket-Key': '' }),
      'a key of 15 octets': headers({ 'Sec-WebSocket-Key': Buffer.alloc(15).toString('base64') }),
      'a key of 17 octets': headers({ 'Sec-WebSocket-Key': Buffer.alloc(17).toString('base64') }),
      'a key that is not base64': headers({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZ!==' }),
      'two versions': headers({ 'Sec-WebSocket-Version': ['13', '13'] }),
      'a body': headers({ 'Content-Length': '1' }), 'a chunked body': headers({ 'Transfer-Encoding': 'chunked' }),
    }),
  ],
  '4.4 Versions': ['12', '8', '0', '14', '130', 'x'].map(version =>
    [`version ${version}: 426, and 13 is named`, [], [], undefined, '', {
      request: headers({ 'Sec-WebSocket-Version': version }), status: 426, answer: { 'sec-websocket-version': '13' } }]),
  '9.1 Extensions and subprotocols': [
    ['no extension is taken', [f(text, 'a')], [[text, 'a']], undefined, '', {
      request: headers({ 'Sec-WebSocket-Extensions': 'permessage-deflate; client_max_window_bits' }),
      answer: { 'sec-websocket-extensions': undefined } }],
    ['RSV1 fails with 1002 though compression was offered', [f(text, 'a', { rsv: 4 })], [], 1002, '', {
      request: headers({ 'Sec-WebSocket-Extensions': 'permessage-deflate' }) }],
    ['no subprotocol when none was offered', [], [], undefined, '', { answer: { 'sec-websocket-protocol': undefined } }],
    ['a subprotocol that was offered', [], [], undefined, '', {
      request: headers({ 'Sec-WebSocket-Protocol': 'one, two' }), answer: { 'sec-websocket-protocol': 'one' } }],
  ],
  '4.1 Frames that come with the request': [
    ['a message', [f(text, 'early')], [[text, 'early']], undefined, '', early],
    ['messages and a ping', [f(text, 'a'), f(ping, 'b'), f(binary, filled(200))], [[text, 'a'], [pong, 'b'], [binary, filled(200)]], undefined, '', early],
    ['a close frame', [closing(1001, 'at once')], [], 1001, 'at once', early],
    ['a bad frame fails with 1002', [f(text, 'a'), f(3)], [[text, 'a']], 1002, '', early],
    ['text that is not UTF-8 fails with 1007', [f(text, Buffer.from([0xff]))], [], 1007, '', early],
    ['a message larger than a read', [f(binary, filled(200000))], [[binary, filled(200000)]], undefined, '', early],
  ],
};
