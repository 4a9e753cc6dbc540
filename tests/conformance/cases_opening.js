/* RFC 6455 §4, and the parts of RFC 9110 and RFC 9112 that it uses: requests, each a valid one with one change,
 * and the status that answers them; and frames that arrive with the request. */
import { ACCEPT, KEY, handshake } from '../support/raw_client.js';
import { TARGET } from './conversation.js';
import { begun, binary, closing, continuation, f, filled, part, ping, pong, text } from './bytes.js';

const answers = (status, requests, answer) => Object.entries(requests).map(([name, request]) =>
  [`${name}: ${status}`, [], [], undefined, '', { request, status, answer }]);
const headers = changed => ({ headers: changed });

/* The bytes of a valid head with one change; \xff and the like are bytes. */
const good = handshake({ target: TARGET });
function bent(from, to) {
  if (!good.includes(from)) throw new Error(`no ${from} in the head`);
  return Buffer.from(good.replace(from, () => to), 'latin1');
}
/* With one or more lines added. */
const added = lines => bent('\r\n\r\n', `\r\n${lines}\r\n\r\n`);

const UPGRADED = { 'upgrade': 'websocket', 'connection': 'Upgrade', 'sec-websocket-accept': ACCEPT,
  'content-length': undefined, 'transfer-encoding': undefined };
const base64 = (size, byte = 0) => Buffer.alloc(size, byte).toString('base64');
const early = { early: true };
/* A valid head has 5 lines. */
const lines = count => Array.from({ length: count }, (_, i) => `X-${i}: x`).join('\r\n');
const sized = size => added(`X: ${'x'.repeat(size - added('X: ').length)}`);

const HEAD_BYTES = 8192;
const HEADER_LINES = 64;

export const opening = {
  '4.1 Frames that come with the request': [
    ['a message', [f(text, 'early')], [[text, 'early']], undefined, '', early],
    ['messages and a ping', [f(text, 'a'), f(ping, 'b'), f(binary, filled(200))], [[text, 'a'], [pong, 'b'], [binary, filled(200)]], undefined, '', early],
    ['three fragments', [part(text, 'a'), part(continuation, 'b'), f(continuation, 'c')], [[text, 'abc']], undefined, '', early],
    ['a hundred messages', Array.from({ length: 100 }, (_, i) => f(text, String(i))), Array.from({ length: 100 }, (_, i) => [text, String(i)]),
      undefined, '', early],
    ['a close frame', [closing(1001, 'at once')], [], 1001, 'at once', early],
    ['a message, a close frame, a message', [f(text, 'a'), closing(1001), f(text, 'b')], [[text, 'a']], 1001, '', early],
    ['half of a frame, then the other half', [begun(text, 'ab', 2), f(text, 'abxx').subarray(-2)], [[text, 'abxx']], undefined, '', early],
    ['a bad frame fails with 1002', [f(text, 'a'), f(3)], [[text, 'a']], 1002, '', early],
    ['text that is not UTF-8 fails with 1007', [f(text, Buffer.from([0xff]))], [], 1007, '', early],
    ['bytes that are no frame fail with 1002', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], [], 1002, '', early],
    ['a message larger than a read', [f(binary, filled(200000))], [[binary, filled(200000)]], undefined, '', early],
    ['one write for the request, one for each frame', [f(text, 'a'), f(ping, 'b'), f(text, 'c')], [[text, 'a'], [pong, 'b'], [text, 'c']],
      undefined, '', { early: true, apart: true }],
    ['frames are ignored if the request is refused', [f(text, 'a')], [], undefined, '', {
      ...early, request: headers({ 'Sec-WebSocket-Key': null }), status: 400 }],
  ],
  '4.2.1 A request is read': [
    ['the answer has Upgrade, Connection and the RFC\'s accept key, and no body', [], [], undefined, '', { answer: UPGRADED }],
    ...answers(101, {
      'Upgrade in capitals': headers({ Upgrade: 'WEBSOCKET' }),
      'Upgrade in a list': headers({ Upgrade: 'h2c, websocket' }),
      'Upgrade in two lines': headers({ Upgrade: ['h2c', 'websocket'] }),
      'Connection in a list': headers({ Connection: 'keep-alive, Upgrade' }),
      'Connection in a list without blanks': headers({ Connection: 'keep-alive,Upgrade,x' }),
      'Connection with empty elements': headers({ Connection: ', ,Upgrade, ' }),
      'Connection in lower case': headers({ Connection: 'upgrade' }),
      'Connection in two lines': headers({ Connection: ['keep-alive', 'Upgrade'] }),
      'a key with unused bits behind its 16 bytes': headers({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZR==' }),
      'a key of NULs': headers({ 'Sec-WebSocket-Key': base64(16) }),
      'a key with + and /': headers({ 'Sec-WebSocket-Key': base64(16, 0xfb) }),
      'unknown headers': headers({ 'X-Unknown': 'x', 'Sec-WebSocket-Unknown': 'y' }),
      'a header without a value': headers({ 'X-Empty': '' }),
      'a duplicate header that may be': headers({ Cookie: ['a=1', 'b=2'] }),
      'bytes beyond ASCII in a value': added('X-Name: \xc3\xa4\xff'),
      'no space after a colon': bent('Upgrade: websocket', 'Upgrade:websocket'),
      'tabs and blanks around a value': bent('Upgrade: websocket', 'Upgrade:\t websocket \t'),
      'names in lower case': { headers: {
        'Sec-WebSocket-Key': null, 'sec-websocket-key': KEY, Host: null, host: 'gateway.test' } },
      'a Host with a port': headers({ Host: 'gateway.test:8080' }),
      'a Host that is an IPv6 address': headers({ Host: '[::1]:8080' }),
      'an Origin of the same host': headers({ Origin: 'https://gateway.test' }),
      'the target as an absolute URI': bent('GET ', 'GET http://gateway.test'),
      'the target as an absolute https URI': bent('GET ', 'GET https://gateway.test'),
      'an absolute URI with its scheme in capitals': bent('GET ', 'GET HTTP://gateway.test'),
    }),
    ...answers(405, Object.fromEntries(['POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'TRACE'].map(method => [method, { method }])), { allow: 'GET' }),
    ...answers(404, {
      'another path': { target: '/echo/' }, 'a path with a blank in it': { target: '/echo%20' }, 'two slashes': { target: '//echo' },
      'a path in capitals': { target: '/ECHO' }, 'no path': { target: '/' },
      'an absolute URI without a path': bent(`GET ${TARGET}`, 'GET http://gateway.test'),
    }),
    ...answers(400, {
      'no Host': headers({ Host: null }), 'an empty Host': headers({ Host: '' }),
      'a Host with a path': headers({ Host: 'gateway.test/x' }), 'a Host with a name before it': headers({ Host: 'me@gateway.test' }),
      'a list of Hosts': headers({ Host: 'a.test, b.test' }), 'a Host with a blank': headers({ Host: 'a.test b.test' }),
      'no Upgrade': headers({ Upgrade: null }), 'Upgrade to something else': headers({ Upgrade: 'websockets' }),
      'an empty Upgrade': headers({ Upgrade: '' }), 'Upgrade to a part of the name': headers({ Upgrade: 'web socket' }),
      'Upgrade to a version of it': headers({ Upgrade: 'websocket/13' }), 'Upgrade to it in quotes': headers({ Upgrade: '"websocket"' }),
      'no Connection': headers({ Connection: null }), 'Connection without upgrade': headers({ Connection: 'keep-alive' }),
      'Connection: close': headers({ Connection: 'close' }), 'Connection with a longer word': headers({ Connection: 'Upgrades' }),
      'no key': headers({ 'Sec-WebSocket-Key': null }), 'two keys': headers({ 'Sec-WebSocket-Key': [KEY, KEY] }),
      'an empty key': headers({ 'Sec-WebSocket-Key': '' }),
      'a key of 15 bytes': headers({ 'Sec-WebSocket-Key': base64(15) }),
      'a key of 17 bytes': headers({ 'Sec-WebSocket-Key': base64(17) }),
      'a key of 18 bytes': headers({ 'Sec-WebSocket-Key': base64(18) }),
      'a key that is not base64': headers({ 'Sec-WebSocket-Key': 'dGhlIHNhbXBsZSBub25jZ!==' }),
      'a key in the URL\'s base64': headers({ 'Sec-WebSocket-Key': base64(16, 0xfb).replaceAll('+', '-').replaceAll('/', '_') }),
      'a key without padding': headers({ 'Sec-WebSocket-Key': KEY.slice(0, -2) }),
      'a key with a blank in it': headers({ 'Sec-WebSocket-Key': KEY.replace('S', ' ') }),
      'a key in quotes': headers({ 'Sec-WebSocket-Key': `"${KEY}"` }),
      'two keys in a line': headers({ 'Sec-WebSocket-Key': `${KEY}, ${KEY}` }),
      'no version': headers({ 'Sec-WebSocket-Version': null }), 'two versions': headers({ 'Sec-WebSocket-Version': ['13', '13'] }),
      'two Origins': headers({ Origin: ['http://gateway.test', 'http://gateway.test'] }),
    }),
    ...answers(403, { 'an Origin of another host': headers({ Origin: 'http://other.test' }), 'the Origin null': headers({ Origin: 'null' }) }),
    ...answers(431, {
      'more lines than allowed': added(lines(HEADER_LINES - 4)),
      'a head one byte too long': sized(HEAD_BYTES + 1),
      'a line that does not end': Buffer.from(`${good.slice(0, -2)}X: ${'x'.repeat(20000)}`),
      'a target that does not end': Buffer.from(`GET ${TARGET}&${'x'.repeat(20000)}`),
    }),
    ...answers(101, { 'as many lines as allowed': added(lines(HEADER_LINES - 5)), 'a head as long as allowed': sized(HEAD_BYTES) }),
  ],
  '4.2.1 A request that two servers could read differently': answers(400, {
    'HTTP/1.0': { version: 'HTTP/1.0' }, 'HTTP/2.0': { version: 'HTTP/2.0' }, 'HTTP/0.9': bent(' HTTP/1.1', ''),
    'http/1.1': { version: 'http/1.1' }, 'HTTP/1.1 with something behind it': { version: 'HTTP/1.1 x' }, 'HTTP/01.1': { version: 'HTTP/01.1' },
    'the preface of HTTP/2': Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    'a TLS ClientHello': Buffer.from('16030100a5010000a10303', 'hex'),
    'the method in lower case': { method: 'get' }, 'an unknown method': { method: 'GETS' },
    'two blanks behind the method': bent('GET ', 'GET  '), 'a tab behind the method': bent('GET ', 'GET\t'),
    'two blanks before the version': bent(' HTTP/1.1', '  HTTP/1.1'), 'a blank behind the version': bent('HTTP/1.1', 'HTTP/1.1 '),
    'a blank before the method': bent('GET ', ' GET '), 'an empty line before the request': bent('GET ', '\r\nGET '),
    'a target without a slash': bent('/echo', 'echo'), 'the target *': bent(`GET ${TARGET}`, 'GET *'),
    'a fragment in the target': { target: `${TARGET}#x` }, 'a NUL in the target': bent('/echo', '/ec\0ho'),
    'a byte beyond ASCII in the target': bent('/echo', '/ech\xc3\xb6'), 'a tab in the target': bent('/echo', '/ec\tho'),
    'an absolute URI of another scheme': bent('GET ', 'GET ftp://gateway.test'),
    'an absolute ws URI': bent('GET ', 'GET ws://gateway.test'),
    'an absolute URI without a host': bent('GET ', 'GET http://'),
    'an absolute URI with a name before the host': bent('GET ', 'GET http://me@gateway.test'),
    'an absolute URI of another host than Host': bent('GET ', 'GET http://other.test'),
    'a line that ends with LF alone': bent('websocket\r\n', 'websocket\n'), 'a head whose lines end with LF alone': Buffer.from(good.replaceAll('\r\n', '\n')),
    'an empty line that ends with LF alone': bent('\r\n\r\n', '\r\n\n'), 'a CR alone in a value': bent('websocket', 'web\rsocket'),
    'a CR alone that begins a header': added('X-Abc:\rTransfer-Encoding: chunked'),
    'a CR alone in the last line': bent('\r\n\r\n', '\r\n\rX'), 'two CRs': bent('websocket\r\n', 'websocket\r\r\n'),
    'a folded line': bent('Upgrade: websocket', 'Upgrade:\r\n websocket'),
    'a line folded with a tab': bent('Upgrade: websocket', 'Upgrade:\r\n\twebsocket'),
    'a blank before the first header': bent('Host:', ' Host:'),
    'a blank before a colon': bent('Host:', 'Host :'), 'a tab before a colon': bent('Host:', 'Host\t:'),
    'a name with a blank in it': added('X Y: x'), 'a name with a slash in it': added('X/Y: x'), 'a name with a NUL in it': added('X\0: x'),
    'a name beyond ASCII': added('X\xe4: x'), 'an empty name': added(': x'), 'a line without a colon': added('X'),
    'a NUL in a value': added('X: a\0b'), 'a bell in a value': added('X: a\x07b'), 'a DEL in a value': added('X: a\x7fb'),
    'two Hosts': headers({ Host: ['a.test', 'b.test'] }), 'the same Host twice': headers({ Host: ['gateway.test', 'gateway.test'] }),
    'Host and host': { headers: { host: 'gateway.test' } },
    'a length of 0': headers({ 'Content-Length': '0' }), 'a body': headers({ 'Content-Length': '1' }), 'a body with its bytes': Buffer.concat([added('Content-Length: 5'), Buffer.from('hello')]),
    'a length with a sign': headers({ 'Content-Length': '+0' }), 'a negative length': headers({ 'Content-Length': '-1' }),
    'an empty length': headers({ 'Content-Length': '' }), 'a length in hexadecimal': headers({ 'Content-Length': '0x0' }),
    'two lengths': headers({ 'Content-Length': ['0', '0'] }), 'two lengths in a line': headers({ 'Content-Length': '0, 0' }),
    'a length of more than 64 bits': headers({ 'Content-Length': '18446744073709551616' }),
    'a chunked body': headers({ 'Transfer-Encoding': 'chunked' }), 'the coding identity': headers({ 'Transfer-Encoding': 'identity' }),
    'an unknown coding': headers({ 'Transfer-Encoding': 'xchunked' }),
    'a coding and a length': headers({ 'Transfer-Encoding': 'chunked', 'Content-Length': '0' }),
    'a second request behind a refused one': Buffer.concat([added('Content-Length: 1'), Buffer.from(`x${good}`)]),
  }),
  '4.2.2 No answer without a request': [
    ['no answer to a client that ends before its request is complete', [{ end: true }], [], undefined, '', { request: Buffer.from(good.slice(0, -2)), status: null }],
    ['no answer to a client that sends nothing', [{ end: true }], [], undefined, '', { request: Buffer.alloc(0), status: null }],
  ],
  '4.4 Versions': ['12', '8', '7', '0', '14', '130', '255', '256', '013', '+13', '13.0', '13, 8', '8, 13', '"13"', 'x', ''].map(version =>
    [`version "${version}": 426, and 13 is named`, [], [], undefined, '', {
      request: headers({ 'Sec-WebSocket-Version': version }), status: 426,
      answer: { 'sec-websocket-version': '13', 'upgrade': 'websocket' } }]),
  '9.1 Extensions and subprotocols': [
    ['RSV1 fails with 1002 if no extension was offered', [f(text, 'a', { rsv: 4 })], [], 1002, '', {
      answer: { 'sec-websocket-extensions': undefined } }],
    ['no subprotocol if none was offered', [], [], undefined, '', { answer: { 'sec-websocket-protocol': undefined } }],
    ['a subprotocol that was offered', [], [], undefined, '', {
      request: headers({ 'Sec-WebSocket-Protocol': 'one' }), answer: { 'sec-websocket-protocol': 'one' } }],
    ['exactly one of the offered subprotocols', [], [], undefined, '', {
      request: headers({ 'Sec-WebSocket-Protocol': 'one, two' }), answer: { 'sec-websocket-protocol': 'one' } }],
    ['one of the subprotocols in two lines', [], [], undefined, '', {
      request: headers({ 'Sec-WebSocket-Protocol': ['two', 'one'] }), answer: { 'sec-websocket-protocol': 'two' } }],
    ['a subprotocol in the case in which it was offered', [], [], undefined, '', {
      request: headers({ 'Sec-WebSocket-Protocol': 'v1.Chat-Server_x~' }), answer: { 'sec-websocket-protocol': 'v1.Chat-Server_x~' } }],
    ...answers(400, Object.fromEntries(Object.entries({
      'a subprotocol with a blank in it': 'a b', 'an empty list of them': '', 'an empty element': 'a,,b', 'one with a slash': 'a/b',
      'one in quotes': '"a"', 'one beyond ASCII': 'ä', 'the same one twice': 'a, b, a',
    }).map(([name, value]) => [name, added(`Sec-WebSocket-Protocol: ${value}`)]))),
    ...answers(400, { 'the same one in two lines': headers({ 'Sec-WebSocket-Protocol': ['a', 'a'] }) }),
  ],
};
