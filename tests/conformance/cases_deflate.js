/* RFC 7692 §6 and §7.2: compressed messages, valid and invalid. */
import { constants, deflateRawSync } from 'node:zlib';
import { begun, binary, close, closing, continuation, f, filled, filledText, header, hex, part, ping, pong, text } from './bytes.js';
import { RSV1, deflated, message, packed } from './deflate.js';
import { DATA } from './deflate_data.js';
import { come, like } from './rows.js';

const KiB = 1024;
const MiB = 1024 * KiB;

const OFFER = 'permessage-deflate; client_max_window_bits';
const negotiated = (more = {}, { offer = OFFER, windowBits = 15 } = {}) => ({
  request: { headers: { 'Sec-WebSocket-Extensions': offer } }, deflate: { windowBits }, ...more });
const row = (name, send, back, code, more) => [name, send, back, code, '', negotiated(more)];
const fails = (name, code, ...bad) => row(`${name} fails with ${code}, and the message before it comes back`,
  [...message(text, 'before'), ...bad], [[text, 'before']], code);
const times = (count, one) => Array.from({ length: count }, (_, i) => one(i));

const hello = hex('f2 48 cd c9 c9 07 00');
const HELLO = [[text, 'Hello']];
const long = 'A message that is worth compressing, as it says the same again: worth compressing. '.repeat(20);
const EMPTY_BLOCK = hex('00 00 00 ff ff');

const bits = {
  '7692/6.1 RSV1': [
    row('a compressed text comes back', message(text, long), [[text, long]]),
    row('a compressed binary comes back', message(binary, filled(1000)), [[binary, filled(1000)]]),
    row('a text that is not compressed comes back', [f(text, long)], [[text, long]]),
    row('compressed and uncompressed messages in turn', [...message(text, 'a'), f(text, 'b'), ...message(binary, 'c'), f(binary, 'd')],
      [[text, 'a'], [text, 'b'], [binary, 'c'], [binary, 'd']]),
    row('RSV1 on the first fragment alone', packed(text, deflated(long), 10), [[text, long]]),
    row('fragments of one byte', packed(text, deflated(long), 1), [[text, long]]),
    row('RSV1 on an empty first fragment', [part(text, '', { rsv: RSV1 }), f(continuation, deflated(long))], [[text, long]]),
    row('empty fragments between and at the end', [part(text, hello.subarray(0, 3), { rsv: RSV1 }), part(continuation), part(continuation, hello.subarray(3)),
      f(continuation)], HELLO),
    row('an uncompressed fragmented message after a compressed one', [...packed(text, deflated(long), 50), part(text, 'a'), f(continuation, 'b')],
      [[text, long], [text, 'ab']]),
    row('uncompressed pings between fragments', [part(text, hello.subarray(0, 3), { rsv: RSV1 }), f(ping, '1'),
      part(continuation, hello.subarray(3, 5)), f(ping, filled(125)), f(continuation, hello.subarray(5))], [[pong, '1'], [pong, filled(125)], ...HELLO]),
    row('a close frame inside a compressed message', [part(text, hello.subarray(0, 3), { rsv: RSV1 }), closing(1000)], [], 1000),
    row('a compressed message comes with the request', message(text, 'early'), [[text, 'early']], undefined, { early: true }),
    ...[1, 2, 3, 5, 6, 7].map(rsv => fails(`text with RSV ${rsv}`, 1002, f(text, hello, { rsv }))),
    ...Object.entries({ ping, pong }).map(([name, opcode]) => fails(`a ${name} with RSV1`, 1002, f(opcode, hello, { rsv: RSV1 }))),
    fails('a close with RSV1', 1002, f(close, hex('03e8'), { rsv: RSV1 })),
    fails('a reserved opcode with RSV1', 1002, f(3, hello, { rsv: RSV1 })),
    fails('a continuation without a message with RSV1', 1002, f(continuation, hello, { rsv: RSV1 })),
    fails('a continuation with RSV1', 1002, part(text, hello.subarray(0, 3), { rsv: RSV1 }), f(continuation, hello.subarray(3), { rsv: RSV1 })),
    fails('RSV1 on a continuation alone', 1002, part(text, 'a'), f(continuation, hello, { rsv: RSV1 })),
    fails('a new compressed message inside one', 1002, part(text, hello.subarray(0, 3), { rsv: RSV1 }), f(text, hello, { rsv: RSV1 })),
    fails('a ping with RSV1 inside a compressed message', 1002, part(text, hello, { rsv: RSV1 }), f(ping, 'x', { rsv: RSV1 })),
    fails('an unmasked compressed message', 1002, f(text, hello, { rsv: RSV1, mask: null })),
  ],
};

/* Ways to compress a message. */
const SPELLINGS = {
  'blocks without compression': { level: 0 }, 'the fastest': { level: 1 }, 'the best': { level: 9 },
  'Huffman codes only': { strategy: constants.Z_HUFFMAN_ONLY }, 'runs only': { strategy: constants.Z_RLE },
  'fixed codes': { strategy: constants.Z_FIXED }, 'little memory': { memLevel: 1 }, 'much memory': { memLevel: 9 },
  ...Object.fromEntries([9, 10, 11, 12, 13, 14].map(windowBits => [`a window of ${windowBits} bits`, { windowBits }])),
};

const flushed = (bytes, flush) => deflateRawSync(bytes, { finishFlush: flush });
const inBlocks = bytes => Buffer.concat([...bytes].map(one => flushed(Buffer.from([one]), constants.Z_FULL_FLUSH))).subarray(0, -4);

const taking = {
  '7692/7.2.2 Decompression': [
    ...Object.entries(SPELLINGS).map(([name, options]) => row(name, message(binary, DATA.json.slice(0, 20000), options),
      [[binary, DATA.json.slice(0, 20000)]])),
    row('a block for each byte', packed(text, inBlocks(Buffer.from('Hello, world'))), [[text, 'Hello, world']]),
    row('incompressible bytes', message(binary, filled(100000)), [[binary, filled(100000)]]),
    row('empty blocks before and after', packed(text, Buffer.concat([EMPTY_BLOCK, EMPTY_BLOCK, hello, hex('00 00 ff ff'), EMPTY_BLOCK, hex('00')])), HELLO),
    row('an empty message: an empty block without compression', packed(text, hex('00')), [[text, '']]),
    row('an empty message: an empty block of fixed codes', packed(binary, hex('02 00')), [[binary, '']]),
    row('an empty message: an empty last block', packed(text, hex('03 00 00')), [[text, '']]),
    row('an empty message: no byte, as zlib writes it after another message', [...packed(text, hello), ...packed(text, Buffer.alloc(0))], [...HELLO, [text, '']]),
    row('an empty message: two empty fragments', [part(text, '', { rsv: RSV1 }), f(continuation)], [[text, '']]),
    row('two empty messages and another one', [...packed(text, hex('00')), ...packed(text, hex('00')), ...packed(text, hello)],
      [[text, ''], [text, ''], ...HELLO]),
    row('a last block with more behind it', packed(text, Buffer.concat([hex('f3 48 cd c9 c9 07 00'), hello])), [[text, 'HelloHello']]),
    row('a character split by fragments', packed(text, deflated('€🙂'.repeat(50)), 1), [[text, '€🙂'.repeat(50)]]),
    row('a binary need not be UTF-8', message(binary, hex('ff c0 80')), [[binary, hex('ff c0 80')]]),
    row('a hundred messages at once', times(100, i => message(text, `${i} ${long}`)).flat(), times(100, i => [text, `${i} ${long}`])),
    row('a hundred messages, one after another', times(100, i => [...message(text, `${i} ${long}`), come(i + 1)]).flat(), times(100, i => [text, `${i} ${long}`])),
    ...[['text', text, filledText, '12.1'], ['binary', binary, filled, '12.2']].flatMap(([name, opcode, fill, group]) => like(group, ...[1, 125, 126, 65535, 65536, MiB].map(size =>
      row(`${name} of ${size} bytes`, () => message(opcode, fill(size)), () => [[opcode, fill(size)]])))),
    row('16 MiB of zeros', () => message(binary, Buffer.alloc(16 * MiB)), () => [[binary, Buffer.alloc(16 * MiB)]]),
    row('16 MiB of zeros in fragments of up to seven bytes', () => packed(binary, deflated(Buffer.alloc(16 * MiB)), 7), () => [[binary, Buffer.alloc(16 * MiB)]]),
  ],
  '7692/7.2.2 Invalid DEFLATE data': [
    fails('a block of the reserved type', 1007, ...packed(binary, hex('06'))),
    fails('a last block of the reserved type', 1007, ...packed(binary, hex('07'))),
    fails('a length whose complement is wrong', 1007, ...packed(binary, hex('00 05 00 00 00 48 65 6c 6c 6f 00'))),
    fails('a distance before the beginning', 1007, ...packed(text, hex('f2 00 11 00 00'))),
    fails('an invalid code', 1007, ...packed(binary, hex('ff ff ff ff'))),
    fails('code lengths that form no code', 1007, ...packed(binary, hex('04 80 49 92 24 49 92 24 0f b4 ff ff c3 04'))),
    fails('too many code lengths', 1007, ...packed(binary, hex('fc 00 00'))),
    fails('text instead of DEFLATE data', 1007, ...packed(text, Buffer.from('Hello, this is not compressed'))),
    fails('zeros', 1007, ...packed(binary, Buffer.alloc(100))),
    fails('a zlib header', 1007, ...packed(binary, Buffer.concat([hex('78 9c'), hello]))),
    fails('a gzip header', 1007, ...packed(binary, Buffer.concat([hex('1f 8b 08 00 00 00 00 00 00 03'), hello]))),
    ...[1, 2, 3, 4, 5, 6].map(size => fails(`a message truncated after byte ${size} of 7`, 1007, ...packed(text, hello.subarray(0, size)))),
    fails('a message truncated in the middle', 1007, ...packed(binary, deflated(long).subarray(0, 40))),
    fails('a truncated block without compression', 1007, ...packed(binary, hex('00 05 00 fa ff 48 65'))),
    fails('the tail twice', 1007, ...packed(text, Buffer.concat([hello, hex('00 ff ff')]))),
    fails('an invalid block in an incomplete frame', 1007, begun(binary, hex('07'), 20).with(0, 0xc2)),
    fails('an invalid block in a fragment', 1007, part(binary, hex('07'), { rsv: RSV1 })),
    fails('a text that is not UTF-8', 1007, ...message(text, hex('61 ff'))),
    fails('a text that ends within a character', 1007, ...message(text, hex('61 e2 82'))),
    fails('a text that is not UTF-8 in an incomplete frame', 1007,
      begun(text, flushed(hex('61 62 ff 63'), constants.Z_SYNC_FLUSH), 20).with(0, 0xc1)),
    fails('a text that is not UTF-8 in an incomplete message', 1007,
      part(text, flushed(hex('61 62 ff 63'), constants.Z_SYNC_FLUSH), { rsv: RSV1 })),
    fails('half a character, ended by an empty fragment', 1007, part(text, deflated(hex('e2 82')), { rsv: RSV1 }), f(continuation)),
    row('a half message before a failure does not come back', [part(text, deflated(long).subarray(0, 50), { rsv: RSV1 }), f(3)], [], 1002),
  ],
  '7692/7.2.3 Examples': [
    row('one block', packed(text, hello), HELLO),
    row('one block in two fragments', packed(text, hello, 3), HELLO),
    row('the same message again', [...packed(text, hello), ...packed(text, hello)], [...HELLO, ...HELLO]),
    row('a message that refers to the window of the one before fails with 1007', [...packed(text, hello), ...packed(text, hex('f2 00 11 00 00'))],
      HELLO, 1007),
    row('a longer message that refers to the window of the one before fails with 1007', [...message(text, long), ...message(text, long, { dictionary: Buffer.from(long) })],
      [[text, long]], 1007),
    row('a block without compression', packed(text, hex('00 05 00 fa ff 48 65 6c 6c 6f 00')), HELLO),
    row('a block with BFINAL', packed(text, hex('f3 48 cd c9 c9 07 00 00')), HELLO),
    row('two blocks', packed(text, hex('f2 48 05 00 00 00 ff ff ca c9 c9 07 00')), HELLO),
  ],
};

const limited = query => ({ target: `/echo?${query}` });
/* `count` MiB of zeros, in blocks that inflate to 1 MiB each. */
function bomb(count) {
  const block = flushed(Buffer.alloc(MiB), constants.Z_FULL_FLUSH);
  return Buffer.concat(times(count, () => block)).subarray(0, -4);
}

const limits = {
  '7692/8 Limits': [
    row('a message that inflates to the limit', message(text, 'x'.repeat(100)), [[text, 'x'.repeat(100)]], undefined, limited('message_bytes=100')),
    row('a message that inflates to one byte more fails with 1009', [...message(text, 'a'), ...message(text, 'x'.repeat(101))], [[text, 'a']], 1009, limited('message_bytes=100')),
    row('one byte more in an incomplete frame fails with 1009', [begun(text, flushed(Buffer.alloc(101, 'x'), constants.Z_SYNC_FLUSH), 20).with(0, 0xc1)], [], 1009,
      limited('message_bytes=100')),
    row('incompressible bytes up to the limit', message(binary, filled(100)), [[binary, filled(100)]], undefined, limited('message_bytes=100')),
    row('incompressible bytes up to the limit in fragments of one byte', packed(binary, deflated(filled(100)), 1), [[binary, filled(100)]], undefined, limited('message_bytes=100')),
    row('fragments that inflate to more than the limit together fail with 1009', packed(text, deflated('x'.repeat(101)), 2), [], 1009,
      limited('message_bytes=100')),
    row('the limit applies to each message', times(10, () => message(text, 'x'.repeat(100))).flat(), times(10, () => [text, 'x'.repeat(100)]),
      undefined, limited('message_bytes=100')),
    row('a length that no message within the limit needs fails with 1009 by the header alone', [header(text, 100000, { lengthBytes: 8 }).with(0, 0xc1)], [], 1009,
      limited('message_bytes=100')),
    row('blocks that inflate to nothing are limited', packed(binary, Buffer.concat(times(1000, () => EMPTY_BLOCK))), [], 1009,
      limited('message_bytes=100')),
    row('an empty message with a limit of 0', packed(text, hex('00')), [[text, '']], undefined, limited('message_bytes=0')),
    row('a message of one byte with a limit of 0 fails with 1009', message(text, 'x'), [], 1009, limited('message_bytes=0')),
    row('one byte beyond 16 MiB fails with 1009', () => [...message(text, 'a'), ...message(binary, Buffer.alloc(16 * MiB + 1))], [[text, 'a']], 1009),
    row('a bomb of 1 GiB fails with 1009', () => packed(binary, bomb(1024)), [], 1009),
    row('a bomb of 1 GiB in fragments fails with 1009', () => packed(binary, bomb(1024), 1000), [], 1009),
    row('a bomb of text fails with 1009', () => packed(text, bomb(1024)), [], 1009),
    row('a bomb fails with 1009 at the gateway\'s own limit', () => packed(binary, bomb(16)), [], 1009, { target: '/echo' }),
    ['one fragment too many fails with 1008', packed(text, deflated(long), 10), [], 1008, 'too many fragments', negotiated(limited('fragments=3'))],
  ],
};

/* Autobahn's sizes: of a message, and of its compressed fragments. */
const SIZES = [
  ...[16, 64, 256, KiB, 4 * KiB, 8 * KiB, 16 * KiB, 32 * KiB, 64 * KiB, 128 * KiB].map(size => [size]),
  ...[8, 16, 32, 64, 128].map(size => [size * KiB, 256]),
  ...[KiB, 4 * KiB, 32 * KiB].map(piece => [128 * KiB, piece]),
];
/* That suite sends a thousand. Each message is compressed by itself here, so fewer show the same. */
const countOf = size => Math.max(4, Math.min(50, Math.floor(256 * KiB / size)));

/* The i-th message: a part of the data, which starts again at its end. */
function piece(data, size, i) {
  const at = (i * size) % (data.length - size);
  return Buffer.from(data.slice(at, at + size));
}

const exchange = ({ opcode, data }, offer, windowBits) => SIZES.map(([size, fragment]) => {
  const payloads = () => times(countOf(size), i => piece(data, size, i));
  return [`${countOf(size)} messages of ${size} bytes${fragment ? ` in fragments of ${fragment}` : ''}, ${offer.name}`,
    () => payloads().flatMap(payload => packed(opcode, deflated(payload), fragment)), () => payloads().map(payload => [opcode, payload]), undefined, '',
    negotiated({ answer: { 'sec-websocket-extensions': offer.answer } }, { offer: offer.value, windowBits })];
});

const TAKEN = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
const DEFAULT = { name: 'default offer', value: 'permessage-deflate; client_no_context_takeover; client_max_window_bits', answer: TAKEN };
const SETS = [
  ['12.1', 'JSON', { opcode: text, data: DATA.json }],
  ['12.2', 'a picture', { opcode: binary, data: DATA.picture }],
  ['12.3', 'prose', { opcode: binary, data: DATA.prose }],
  ['12.4', 'HTML', { opcode: text, data: DATA.html }],
  ['12.5', 'a document with pictures', { opcode: binary, data: DATA.document }],
];
const asking = more => `permessage-deflate; ${more}client_no_context_takeover; client_max_window_bits`;
const OFFERS = [
  ['13.1', 'nothing asked of the server', asking(''), 15, ''],
  ['13.2', 'no context takeover', asking('server_no_context_takeover; '), 15, ''],
  ['13.3', 'a window of 9 bits', asking('server_max_window_bits=9; '), 9, '; server_max_window_bits=9'],
  ['13.4', 'a window of 15 bits', asking('server_max_window_bits=15; '), 15, '; server_max_window_bits=15'],
  ['13.5', 'no context takeover and 9 bits', asking('server_no_context_takeover; server_max_window_bits=9; '), 9, '; server_max_window_bits=9'],
  ['13.6', 'no context takeover and 15 bits', asking('server_no_context_takeover; server_max_window_bits=15; '), 15, '; server_max_window_bits=15'],
  ['13.7', 'three offers', [asking('server_no_context_takeover; server_max_window_bits=9; '), asking('server_no_context_takeover; '), asking('')].join(', '),
    9, '; server_max_window_bits=9'],
];

const exchanges = {
  '7692/7.2 Messages of many kinds': SETS.flatMap(([group, name, set]) =>
    like(group, ...exchange(set, { ...DEFAULT, name }, 15))),
  '7692/7.1 Messages by offer': OFFERS.flatMap(([group, name, value, windowBits, answered]) =>
    like(group, ...exchange(SETS[0][2], { name, value, answer: TAKEN + answered }, windowBits))),
  '7692/7.1.2 Messages by window': [8, 10, 11, 12, 13, 14].flatMap(windowBits => Object.entries(DATA).map(([name, data]) =>
    [`64 KiB of ${name} in a window of ${windowBits} bits`, () => message(binary, Buffer.from(data.slice(0, 64 * KiB))),
      () => [[binary, Buffer.from(data.slice(0, 64 * KiB))]], undefined, '',
      negotiated({}, { offer: `permessage-deflate; server_max_window_bits=${windowBits}`, windowBits })])),
};

export const compression = { ...bits, ...taking, ...limits, ...exchanges };
