/* RFC 6455 §5: frames, masks, lengths, fragments, control frames. */
import {
  begun, binary, close, closing, continuation, f, filled, filledText, fragments, framed, header, hex, part, ping,
  pong, text,
} from './octets.js';

const before = { send: [f(text, 'before')], back: [[text, 'before']] };
/* What was complete before the bad frame comes back, then the close frame. */
const fails = (name, code, ...bad) =>
  [`${name} fails with ${code}, and what was complete before comes back`, [...before.send, ...bad], before.back, code];

/* §5.5: no control frame is fragmented, or longer than 125 octets. */
const controlRules = (name, opcode, payload) => [
  fails(`a fragmented ${name}`, 1002, part(opcode, payload(2))),
  fails(`a ${name} of 126 octets`, 1002, f(opcode, payload(126))),
  fails(`a ${name} of 65536 octets`, 1002, f(opcode, payload(65536))),
  fails(`a ${name} of 126 octets, by its header alone`, 1002, header(opcode, 126, { octets: 2 })),
];

const OPCODES = { continuation, text, binary, close, ping, pong };
const RESERVED = [3, 4, 5, 6, 7, 11, 12, 13, 14, 15];
const SIZES = [0, 1, 125, 126, 127, 128, 65535, 65536];

export const framing = {
  '5.1 Masking': [
    ['an unmasked frame fails with 1002', [f(text, 'x', { mask: null })], [], 1002],
    ...Object.entries(OPCODES).map(([name, opcode]) =>
      fails(`an unmasked ${name} frame`, 1002, f(opcode, opcode === close ? hex('03e8') : 'x', { mask: null }))),
    fails('an unmasked frame without payload', 1002, f(binary, '', { mask: null })),
    ['nothing is taken after an unmasked frame', [f(text, 'x', { mask: null }), f(text, 'after')], [], 1002],
  ],
  '5.2 RSV bits': [
    ...[1, 2, 3, 4, 5, 6, 7].map(rsv => fails(`text with RSV ${rsv}`, 1002, f(text, 'x', { rsv }))),
    ...Object.entries({ binary, ping, pong, close }).map(([name, opcode]) =>
      fails(`${name} with RSV1`, 1002, f(opcode, opcode === close ? hex('03e8') : 'x', { rsv: 4 }))),
    ['a continuation with RSV1 fails with 1002', [part(text, 'a'), f(continuation, 'b', { rsv: 4 })], [], 1002],
    ['RSV1 is refused by the header alone', [begun(text, '', 20).with(0, 0xc1)], [], 1002],
  ],
  '5.2 Opcodes': [
    ...RESERVED.map(opcode => fails(`reserved opcode ${opcode}`, 1002, f(opcode, 'x'))),
    ...RESERVED.map(opcode => [`reserved opcode ${opcode} without payload fails with 1002, a ping before is answered`,
      [f(ping, 'p'), f(opcode)], [[pong, 'p']], 1002]),
    ['a reserved opcode inside a fragmented message fails with 1002', [part(text, 'a'), f(3, 'x')], [], 1002],
  ],
  '5.2 Lengths': [
    ...SIZES.map(size => [`text of ${size} octets comes back`, [f(text, filledText(size))], [[text, filledText(size)]]]),
    ...SIZES.map(size => [`binary of ${size} octets comes back`, [f(binary, filled(size))], [[binary, filled(size)]]]),
    ...[0, 1, 125].map(size => fails(`a length of ${size} in 16 bits`, 1002, framed(binary, filled(size), 2))),
    ...[0, 125, 126, 65535].map(size => fails(`a length of ${size} in 64 bits`, 1002, framed(binary, filled(size), 8))),
    fails('a non-minimal length of a ping', 1002, framed(ping, 'x', 2)),
    fails('a 64-bit length with its top bit set', 1002, header(binary, 1n << 63n, { octets: 8 })),
    fails('a 64-bit length of ones', 1002, header(binary, (1n << 64n) - 1n, { octets: 8 })),
    fails('a length of 2^63 - 1', 1009, header(binary, (1n << 63n) - 1n, { octets: 8 })),
    fails('a length one beyond the limit, by the header alone', 1009, header(binary, 16777217, { octets: 8 })),
  ],
  '5.3 Masking keys': [
    ...['00000000', 'ffffffff', '00ff00ff', '01020304'].map(key => [`the key ${key} is taken off`,
      [f(text, 'Masked?', { mask: hex(key) })], [[text, 'Masked?']]]),
    ['each frame has a key of its own',
      [part(text, 'Hel', { mask: hex('01020304') }), f(continuation, 'lo', { mask: hex('fffefdfc') })], [[text, 'Hello']]],
    ['the key begins anew with a ping between fragments', [part(text, 'abc'), f(ping, 'de'), f(continuation, 'fgh')],
      [[pong, 'de'], [text, 'abcfgh']]],
  ],
  '5.4 Fragmentation': [
    ['two fragments of a text are one message', [part(text, 'frag1'), f(continuation, 'frag2')], [[text, 'frag1frag2']]],
    ['two fragments of a binary are one message', [part(binary, 'frag1'), f(continuation, 'frag2')], [[binary, 'frag1frag2']]],
    ['an octet a fragment', fragments(text, 'Hello, world', 1), [[text, 'Hello, world']]],
    ['empty fragments around', [part(text), part(continuation, 'x'), part(continuation), f(continuation)], [[text, 'x']]],
    ['only empty fragments', [part(text), part(continuation), f(continuation)], [[text, '']]],
    ['a ping between fragments is answered at once', [part(text, 'a'), f(ping, 'now'), f(continuation, 'b')],
      [[pong, 'now'], [text, 'ab']]],
    ['a pong between fragments is passed over', [part(text, 'a'), f(pong, 'x'), f(continuation, 'b')], [[text, 'ab']]],
    ['pings between all fragments', [part(text, 'a'), f(ping, '1'), part(continuation, 'b'), f(ping, '2'), part(continuation, 'c'),
      f(ping), f(continuation, 'd')], [[pong, '1'], [pong, '2'], [pong, ''], [text, 'abcd']]],
    ['a close between fragments ends it', [part(text, 'a'), closing(1000), f(continuation, 'b')], [], 1000],
    ['a continuation of nothing fails with 1002', [f(continuation, 'x')], [], 1002],
    ['a continuation of nothing, not the last, fails with 1002', [part(continuation, 'x')], [], 1002],
    fails('a continuation after a whole message', 1002, f(continuation, 'x')),
    ['a continuation after a fragmented message fails with 1002', [part(text, 'a'), f(continuation, 'b'), f(continuation, 'x')],
      [[text, 'ab']], 1002],
    ['a text inside a fragmented text fails with 1002', [part(text, 'a'), f(text, 'b')], [], 1002],
    ['a binary inside a fragmented text fails with 1002', [part(text, 'a'), f(binary, 'b')], [], 1002],
    ['a text inside a fragmented binary fails with 1002', [part(binary, 'a'), part(text, 'b')], [], 1002],
    ['a new fragmented message inside one fails with 1002', [part(text, 'a'), part(text, 'b'), f(continuation, 'c')], [], 1002],
    ['a half message before a failure does not come back', [part(text, 'half'), part(continuation, 'half'), f(3)], [], 1002],
    ['messages one after another keep their kinds', [part(binary, 'a'), f(continuation, 'b'), f(text, 'c'), part(text, 'd'),
      f(continuation, 'e'), f(binary, 'f')], [[binary, 'ab'], [text, 'c'], [text, 'de'], [binary, 'f']]],
  ],
  '5.5.1 Close': [
    ...controlRules('close', close, size => Buffer.concat([hex('03e8'), Buffer.alloc(size - 2, 'x')])),
    ['a close without a code is answered without one', [f(close)], [], null],
    ['a close with a code', [closing(1000)], [], 1000],
    ['a close with a reason comes back with it', [closing(1000, 'Hello World!')], [], 1000, 'Hello World!'],
    ['a reason of 123 octets', [closing(1000, 'x'.repeat(123))], [], 1000, 'x'.repeat(123)],
    ['a close of one octet fails with 1002', [f(close, 'x')], [], 1002],
    ['no data frame after the close frame', [closing(1001), f(text, 'after')], [], 1001],
    ['no pong after the close frame', [closing(1001), f(ping, 'after')], [], 1001],
    ['a second close frame is not answered', [closing(1001), closing(1002)], [], 1001],
    ['a bad frame after the close frame changes nothing', [closing(1001), f(3)], [], 1001],
    ['what came before the close frame comes back before it', [f(text, 'a'), f(ping, 'b'), f(binary, 'c'), closing(3000)],
      [[text, 'a'], [pong, 'b'], [binary, 'c']], 3000],
  ],
  '5.5.2 Ping': [
    ...controlRules('ping', ping, size => Buffer.alloc(size, 'x')),
    ['a continuation of a ping fails with 1002', [part(ping, 'a'), f(continuation, 'b')], [], 1002],
    ['without payload', [f(ping)], [[pong, '']]],
    ['a text', [f(ping, 'Hello')], [[pong, 'Hello']]],
    ['octets that are not UTF-8', [f(ping, hex('00 ff fe fd fc fb 00 ff'))], [[pong, hex('00 ff fe fd fc fb 00 ff')]]],
    ['125 octets', [f(ping, filled(125))], [[pong, filled(125)]]],
    ['ten pings, ten pongs, in order', Array.from({ length: 10 }, (_, i) => f(ping, `payload-${i}`)),
      Array.from({ length: 10 }, (_, i) => [pong, `payload-${i}`])],
    ['a thousand pings', Array.from({ length: 1000 }, (_, i) => f(ping, String(i))),
      Array.from({ length: 1000 }, (_, i) => [pong, String(i)])],
    ['a ping between messages', [f(text, 'a'), f(ping, 'b'), f(text, 'c')], [[text, 'a'], [pong, 'b'], [text, 'c']]],
  ],
  '5.5.3 Pong': [
    ...controlRules('pong', pong, size => Buffer.alloc(size, 'x')),
    ['one that nobody asked for', [f(pong)], []],
    ['one with a payload', [f(pong, 'unsolicited')], []],
    ['and then a ping', [f(pong, 'unsolicited'), f(ping, 'ping')], [[pong, 'ping']]],
    ['ten of them, and a message', [...Array.from({ length: 10 }, () => f(pong, 'x')), f(text, 'y')], [[text, 'y']]],
  ],
  '5.6 Data frames': [
    ['text comes back as text', [f(text, 'Hello')], [[text, 'Hello']]],
    ['binary comes back as binary', [f(binary, 'Hello')], [[binary, 'Hello']]],
    ['binary need not be UTF-8', [f(binary, hex('ff fe c0 80 ed a0 80'))], [[binary, hex('ff fe c0 80 ed a0 80')]]],
    ['a thousand messages in one go, in order', Array.from({ length: 1000 }, (_, i) => f(i % 2 ? text : binary, String(i))),
      Array.from({ length: 1000 }, (_, i) => [i % 2 ? text : binary, String(i)])],
  ],
};
