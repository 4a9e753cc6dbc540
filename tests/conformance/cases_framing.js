/* RFC 6455 §5: frames, masks, lengths, fragments, control frames. */
import {
  begun, binary, close, closing, continuation, f, filled, filledText, fragments, framed, header, hex, part, ping,
  pong, text,
} from './bytes.js';
import { come, like } from './rows.js';

const before = { send: [f(text, 'before')], back: [[text, 'before']] };
/* The message before the bad frame comes back, then the close frame. */
const fails = (name, code, ...bad) =>
  [`${name} fails with ${code}, and the message before it comes back`, [...before.send, ...bad], before.back, code];
/* The same, inside an incomplete message. */
const failsInside = (name, code, ...bad) => [`${name} fails with ${code}`, [part(binary, 'a'), ...bad], [], code];

const DATA = { text, binary };
const RESERVED_DATA = [3, 4, 5, 6, 7];
const RESERVED_CONTROL = [11, 12, 13, 14, 15];

/* A payload that is valid in such a frame. */
const payloadOf = (opcode, size) => opcode === close && size >= 2
  ? Buffer.concat([hex('03e8'), Buffer.alloc(size - 2, 'x')]) : Buffer.alloc(size, 'x');

/* §5.5: no control frame is fragmented, or longer than 125 bytes. */
const controlRules = (name, opcode) => [
  fails(`a ${name} of 65536 bytes`, 1002, f(opcode, payloadOf(opcode, 65536))),
  fails(`a ${name} of 126 bytes, by its header alone`, 1002, header(opcode, 126, { lengthBytes: 2 })),
  fails(`a fragmented ${name}, by its header alone`, 1002, begun(opcode, '', 2, { fin: false })),
  failsInside(`a fragmented ${name} inside a message`, 1002, part(opcode, payloadOf(opcode, 2))),
  failsInside(`a ${name} of 126 bytes inside a message`, 1002, f(opcode, payloadOf(opcode, 126))),
];

const unmasked = (opcode, size) => f(opcode, payloadOf(opcode, size), { mask: null });

const masking = {
  '5.1 Masking': [
    ...Object.entries(DATA).flatMap(([name, opcode]) => [0, 1, 125, 126, 65535, 65536].map(size =>
      fails(`an unmasked ${name} frame of ${size} bytes`, 1002, unmasked(opcode, size)))),
    ...[0, 1, 125, 126, 65536].map(size =>
      failsInside(`an unmasked continuation of ${size} bytes`, 1002, unmasked(continuation, size))),
    ...Object.entries({ close, ping, pong }).flatMap(([name, opcode]) => [0, 2, 125].map(size =>
      fails(`an unmasked ${name} frame of ${size} bytes`, 1002, unmasked(opcode, size)))),
    fails('an unmasked frame of a reserved opcode', 1002, unmasked(3, 1)),
    fails('an unmasked fragment', 1002, part(text, 'x', { mask: null })),
    failsInside('an unmasked ping inside a message', 1002, unmasked(ping, 1)),
    ['an unmasked frame fails with 1002 by its first two bytes', [unmasked(text, 100).subarray(0, 2)], [], 1002],
    ['nothing is accepted after an unmasked frame', [unmasked(text, 1), f(text, 'after')], [], 1002],
    ['an unmasked frame after a fragmented message', [part(text, 'a'), f(continuation, 'b'), unmasked(text, 1)], [[text, 'ab']], 1002],
  ],
  '5.3 Masking keys': [
    ...['00000000', 'ffffffff', '00ff00ff', '01020304', '80000000', '00000080'].map(key => [`unmasks with the key ${key}`,
      [f(text, 'Masked?', { mask: hex(key) })], [[text, 'Masked?']]]),
    ...[1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17].map(size => [`unmasks ${size} bytes`,
      [f(binary, filled(size), { mask: hex('01020304') })], [[binary, filled(size)]]]),
    ['text that is UTF-8 only when unmasked is accepted', [f(text, 'Hello', { mask: hex('ffc080ed') })], [[text, 'Hello']]],
    ['text that is UTF-8 only when masked fails with 1007', [f(text, hex('ff c0 80'), { mask: hex('9ea1e100') })], [], 1007],
    ['each frame has its own key',
      [part(text, 'Hel', { mask: hex('01020304') }), f(continuation, 'lo', { mask: hex('fffefdfc') })], [[text, 'Hello']]],
    ['the key starts again with each fragment', fragments(binary, filled(100), 3), [[binary, filled(100)]]],
    ['the key starts again after a ping between fragments', [part(text, 'abc'), f(ping, 'de'), f(continuation, 'fgh')],
      [[pong, 'de'], [text, 'abcfgh']]],
  ],
};

const headers = {
  '5.2 RSV bits': [
    ...like('3',
      ...[1, 2, 3, 4, 5, 6, 7].map(rsv => fails(`text with RSV ${rsv}`, 1002, f(text, 'x', { rsv }), f(ping))),
      ...Object.entries({ binary, ping, pong, close }).map(([name, opcode]) =>
        fails(`${name} with RSV1`, 1002, f(opcode, payloadOf(opcode, 2), { rsv: 4 })))),
    ...like('3', ...[1, 2, 4, 7].flatMap(rsv => [
      failsInside(`a continuation with RSV ${rsv}`, 1002, f(continuation, 'b', { rsv })),
      failsInside(`a ping with RSV ${rsv} inside a message`, 1002, f(ping, 'b', { rsv })),
      fails(`a fragment with RSV ${rsv}`, 1002, part(text, 'b', { rsv })),
      [`RSV ${rsv} is refused by the header alone`, [begun(text, '', 20).with(0, 0x81 | (rsv << 4))], [], 1002],
    ])),
  ],
  '5.2 Opcodes': [
    ...[['4.1', RESERVED_DATA], ['4.2', RESERVED_CONTROL]].flatMap(([group, opcodes]) => like(group,
      ...opcodes.map(opcode => fails(`reserved opcode ${opcode}`, 1002, f(opcode, 'x'), f(ping))),
      ...opcodes.map(opcode => [`reserved opcode ${opcode} without payload fails with 1002, a ping before is answered`,
        [f(ping, 'p'), f(opcode)], [[pong, 'p']], 1002]),
      ...opcodes.map(opcode => failsInside(`reserved opcode ${opcode} inside a message`, 1002, f(opcode, 'x'))),
      ...opcodes.map(opcode => [`reserved opcode ${opcode} is refused by the header alone`, [header(opcode, 1, { lengthBytes: 0 })], [], 1002]))),
  ],
  '5.2 Lengths': [
    ...[[text, filledText, 'text', '1.1'], [binary, filled, 'binary', '1.2']].flatMap(([opcode, fill, name, group]) => [
      ...like(group,
        ...[0, 125, 126, 127, 128, 65535, 65536].map(size => [`${name} of ${size} bytes comes back`, [f(opcode, fill(size))], [[opcode, fill(size)]]]),
        [`${name} of 65536 bytes, 997 per write, comes back`, [f(opcode, fill(65536))], [[opcode, fill(65536)]], undefined, '', { chops: 997 }],
        ...[1, 124, 129, 65534, 65537].map(size => [`${name} of ${size} bytes comes back`, [f(opcode, fill(size))], [[opcode, fill(size)]]])),
      ...[125, 126, 65535, 65536].map(size => [`fragments of ${size} bytes of a ${name} come back as one message`,
        fragments(opcode, fill(3 * size), size), [[opcode, fill(3 * size)]]]),
      ...[0, 1, 125].map(size => fails(`${name} whose length of ${size} is in 16 bits`, 1002, framed(opcode, fill(size), 2))),
      ...[0, 1, 125, 126, 65535].map(size => fails(`${name} whose length of ${size} is in 64 bits`, 1002, framed(opcode, fill(size), 8))),
    ]),
    ...[[0, 2], [125, 2], [125, 8], [126, 8], [65535, 8]].map(([size, lengthBytes]) =>
      failsInside(`a continuation whose length of ${size} is in ${8 * lengthBytes} bits`, 1002, framed(continuation, filled(size), lengthBytes))),
    ...Object.entries({ close, ping, pong }).flatMap(([name, opcode]) => [2, 8].map(lengthBytes =>
      fails(`a ${name} whose length of 2 is in ${8 * lengthBytes} bits`, 1002, framed(opcode, hex('03e8'), lengthBytes)))),
    ...[['2^63', 1n << 63n], ['2^63 + 1', (1n << 63n) + 1n], ['2^64 - 1', (1n << 64n) - 1n]].flatMap(([name, length]) => [
      ...Object.entries({ text, binary, ping, close }).map(([kind, opcode]) =>
        fails(`${kind} with a length of ${name}`, 1002, header(opcode, length, { lengthBytes: 8 }))),
      failsInside(`a continuation with a length of ${name}`, 1002, header(continuation, length, { lengthBytes: 8 })),
    ]),
    ...[['2^63 - 1', (1n << 63n) - 1n], ['2^32', 1n << 32n], ['2^31', 1n << 31n]].flatMap(([name, length]) => [
      ...Object.entries(DATA).map(([kind, opcode]) =>
        fails(`${kind} with a length of ${name}`, 1009, header(opcode, length, { lengthBytes: 8 }))),
      failsInside(`a continuation with a length of ${name}`, 1009, header(continuation, length, { lengthBytes: 8 })),
      fails(`a ping with a length of ${name}`, 1002, header(ping, length, { lengthBytes: 8 })),
    ]),
    ...Object.entries(DATA).map(([name, opcode]) =>
      fails(`${name} one byte beyond the limit, by the header alone`, 1009, header(opcode, 16777217, { lengthBytes: 8 }))),
  ],
};

const parts = ['fragment1', 'fragment2', 'fragment3', 'fragment4', 'fragment5'];

const fragmentation = {
  '5.4 Fragmentation': [
    ...like('5',
      fails('a fragmented ping', 1002, part(ping, 'ab'), f(continuation, 'c')),
      fails('a fragmented pong', 1002, part(pong, 'ab'), f(continuation, 'c')),
      ...[false, true].flatMap(apart => [
        [`two fragments of a text are one message${apart ? ', one frame per write' : ''}`,
          [part(text, 'frag1'), f(continuation, 'frag2')], [[text, 'frag1frag2']], undefined, '', { apart }],
        [`a ping between them is answered before the message${apart ? ', one frame per write' : ''}`,
          [part(text, 'frag1'), f(ping, 'now'), f(continuation, 'frag2')], [[pong, 'now'], [text, 'frag1frag2']], undefined, '', { apart }],
        [`a continuation without a message fails with 1002, and the text behind it is ignored${apart ? ', one frame per write' : ''}`,
          [f(continuation, 'x'), f(text, 'after')], [], 1002, '', { apart }],
        [`an unfinished continuation without a message fails with 1002${apart ? ', one frame per write' : ''}`,
          [part(continuation, 'x'), f(text, 'after')], [], 1002, '', { apart }],
      ]),
      fails('a continuation after a whole message', 1002, f(continuation, 'x')),
      ['a continuation after a fragmented message fails with 1002', [part(text, 'a'), f(continuation, 'b'), part(continuation, 'x'), f(text, 'c')],
        [[text, 'ab']], 1002],
      ['unfinished continuations without a message before messages, twice, fail with 1002', [part(continuation, 'x'), part(text, 'a'), f(continuation, 'b'),
        part(continuation, 'x'), part(text, 'a'), f(continuation, 'b')], [], 1002],
      ['finished continuations without a message before messages, twice, fail with 1002', [f(continuation, 'x'), part(text, 'a'), f(continuation, 'b'),
        f(continuation, 'x'), part(text, 'a'), f(continuation, 'b')], [], 1002],
      ['a text inside a fragmented text fails with 1002', [part(text, 'a'), f(text, 'b')], [], 1002],
      ['five fragments, two pings: each is answered before more of the message is sent',
        [part(text, parts[0]), part(continuation, parts[1]), f(ping, 'pongme 1!'), come(1), part(continuation, parts[2]),
          part(continuation, parts[3]), f(ping, 'pongme 2!'), come(2), f(continuation, parts[4])],
        [[pong, 'pongme 1!'], [pong, 'pongme 2!'], [text, parts.join('')]]],
      ['the same, one frame per write',
        [part(text, parts[0]), part(continuation, parts[1]), f(ping, 'pongme 1!'), come(1), part(continuation, parts[2]),
          part(continuation, parts[3]), f(ping, 'pongme 2!'), come(2), f(continuation, parts[4])],
        [[pong, 'pongme 1!'], [pong, 'pongme 2!'], [text, parts.join('')]], undefined, '', { apart: true }],
      ['a binary inside a fragmented text fails with 1002', [part(text, 'a'), f(binary, 'b')], [], 1002],
      ['a text inside a fragmented binary fails with 1002', [part(binary, 'a'), part(text, 'b')], [], 1002],
      ['a new fragmented message inside one fails with 1002', [part(text, 'a'), part(text, 'b'), f(continuation, 'c')], [], 1002],
      ['two fragments of a binary are one message', [part(binary, 'frag1'), f(continuation, 'frag2')], [[binary, 'frag1frag2']]],
      ['a new message inside one is refused by the header alone', [part(text, 'a'), begun(text, '', 5)], [], 1002],
      ['a continuation of nothing is refused by the header alone', [begun(continuation, '', 5)], [], 1002],
      ['a new message between two pings inside one fails with 1002', [part(text, 'a'), f(ping, '1'), f(text, 'b'), f(ping, '2')],
        [[pong, '1']], 1002],
      ['a byte a fragment', fragments(text, 'Hello, world', 1), [[text, 'Hello, world']]],
      ['a byte a fragment, empty ones between them', [...'Hello'].flatMap((one, i) => [part(i ? continuation : text, one), part(continuation)])
        .concat(f(continuation)), [[text, 'Hello']]],
      ['only the first fragment has bytes', [part(binary, 'x'), part(continuation), f(continuation)], [[binary, 'x']]],
      ['only the last fragment has bytes', [part(binary), part(continuation), f(continuation, 'x')], [[binary, 'x']]],
      ['a pong between fragments is passed over', [part(text, 'a'), f(pong, 'x'), f(continuation, 'b')], [[text, 'ab']]],
      ['pings between all fragments', [part(text, 'a'), f(ping, '1'), part(continuation, 'b'), f(ping, '2'), part(continuation, 'c'),
        f(ping), f(continuation, 'd')], [[pong, '1'], [pong, '2'], [pong, ''], [text, 'abcd']]],
      ['a ping of 125 bytes between fragments', [part(text, 'a'), f(ping, filled(125)), f(continuation, 'b')],
        [[pong, filled(125)], [text, 'ab']]],
      ['pings of 125 bytes between fragments of 125', [part(binary, filled(125)), f(ping, filled(125, 2)), part(continuation, filled(125, 3)),
        f(ping, filled(125, 4)), f(continuation, filled(125, 5))],
      [[pong, filled(125, 2)], [pong, filled(125, 4)], [binary, Buffer.concat([filled(125), filled(125, 3), filled(125, 5)])]]],
      ['ten pings between two fragments', [part(text, 'a'), ...Array.from({ length: 10 }, (_, i) => f(ping, String(i))), f(continuation, 'b')],
        [...Array.from({ length: 10 }, (_, i) => [pong, String(i)]), [text, 'ab']]],
      ['pings and pongs between fragments, in order', [part(text, 'a'), f(pong, 'p'), f(ping, '1'), f(pong), f(ping, '2'), f(continuation, 'b')],
        [[pong, '1'], [pong, '2'], [text, 'ab']]],
      ['a half message before a failure does not come back', [part(text, 'half'), part(continuation, 'half'), f(3)], [], 1002],
      ['messages in a row keep their kinds', [part(binary, 'a'), f(continuation, 'b'), f(text, 'c'), part(text, 'd'),
        f(continuation, 'e'), f(binary, 'f')], [[binary, 'ab'], [text, 'c'], [text, 'de'], [binary, 'f']]],
      ['an empty message between others is a message', [f(text, 'a'), f(text), f(binary), f(text, 'b')], [[text, 'a'], [text, ''], [binary, ''], [text, 'b']]]),
  ],
};

const control = {
  '5.5.1 Close': [
    ...controlRules('close', close),
    fails('a fragmented close', 1002, part(close, hex('03e8'))),
    ...like('7.3',
      ['a close without a code is answered without one', [f(close)], [], null],
      ['a close of one byte fails with 1002', [f(close, 'x')], [], 1002],
      ['a close with a code', [closing(1000)], [], 1000],
      ['a close with a reason comes back with it', [closing(1000, 'Hello World!')], [], 1000, 'Hello World!'],
      ['a reason of 123 bytes', [closing(1000, 'x'.repeat(123))], [], 1000, 'x'.repeat(123)],
      fails('a close of 126 bytes', 1002, f(close, payloadOf(close, 126)))),
    ...like('7.1',
      ['a message before the close frame comes back', [f(text, 'Hello World!'), closing(1000)], [[text, 'Hello World!']], 1000],
      ['a second close frame is not answered', [closing(1001), closing(1002)], [], 1001],
      ['no pong after the close frame', [closing(1001), f(ping, 'after')], [], 1001],
      ['no data frame after the close frame', [closing(1001), f(text, 'after')], [], 1001],
      ['a close between fragments ends the connection', [part(text, 'a'), closing(1000), f(continuation, 'b')], [], 1000],
      ['a message of 256 KiB before the close frame comes back, and a ping after it is not answered',
        [f(text, filledText(262144)), f(text, 'Hello World!'), closing(1000), f(ping)], [[text, filledText(262144)], [text, 'Hello World!']], 1000]),
    ...[1, 2, 122].map(size => [`a reason of ${size} bytes`, [closing(3000, 'x'.repeat(size))], [], 3000, 'x'.repeat(size)]),
    ['a reason of NUL', [closing(1000, '\0')], [], 1000, '\0'],
    ['a bad frame after the close frame changes nothing', [closing(1001), f(3)], [], 1001],
    ['an unmasked frame after the close frame changes nothing', [closing(1001), unmasked(text, 1)], [], 1001],
    ['bytes after the close frame that are no frame change nothing', [closing(1001), Buffer.alloc(1000, 0xff)], [], 1001],
    ['a truncated frame after the close frame changes nothing', [closing(1001), begun(text, 'x')], [], 1001],
    ['a close without a code, then one with: the first is answered', [f(close), closing(1001)], [], null],
    ['an invalid close, then a valid one: the failure is reported', [f(close, 'x'), closing(1000)], [], 1002],
    ['a close in the middle of a message of many fragments', [...fragments(text, 'abcdef', 1).slice(0, -1), closing(4000, 'enough')], [], 4000, 'enough'],
    ['a close without a code between fragments', [part(binary, 'a'), f(close)], [], null],
    ['a bad close code between fragments fails with 1002', [part(binary, 'a'), closing(1005)], [], 1002],
    ['messages before the close frame come back before it', [f(text, 'a'), f(ping, 'b'), f(binary, 'c'), closing(3000)],
      [[text, 'a'], [pong, 'b'], [binary, 'c']], 3000],
  ],
  '5.5.2 Ping': [
    ...controlRules('ping', ping),
    ...like('2',
      ['without payload', [f(ping)], [[pong, '']]],
      ['a text', [f(ping, 'Hello')], [[pong, 'Hello']]],
      ['bytes that are not UTF-8', [f(ping, hex('00 ff fe fd fc fb 00 ff'))], [[pong, hex('00 ff fe fd fc fb 00 ff')]]],
      ['125 bytes', [f(ping, filled(125))], [[pong, filled(125)]]],
      fails('126 bytes', 1002, f(ping, filled(126))),
      ['125 bytes, one per write', [f(ping, filled(125))], [[pong, filled(125)]], undefined, '', { chops: 1 }],
      ['ten pings, ten pongs, in order', Array.from({ length: 10 }, (_, i) => f(ping, `payload-${i}`)),
        Array.from({ length: 10 }, (_, i) => [pong, `payload-${i}`])],
      ['ten pings, one byte per write', Array.from({ length: 10 }, (_, i) => f(ping, `payload-${i}`)),
        Array.from({ length: 10 }, (_, i) => [pong, `payload-${i}`]), undefined, '', { chops: 1 }],
      ...[1, 2, 124].map(size => [`${size} bytes`, [f(ping, filled(size))], [[pong, filled(size)]]]),
      ['a thousand pings', Array.from({ length: 1000 }, (_, i) => f(ping, String(i))),
        Array.from({ length: 1000 }, (_, i) => [pong, String(i)])]),
    ['a continuation of a ping fails with 1002', [part(ping, 'a'), f(continuation, 'b')], [], 1002],
    ['a hundred pings, each after the answer to the one before', Array.from({ length: 100 }, (_, i) => [f(ping, String(i)), come(i + 1)]).flat(),
      Array.from({ length: 100 }, (_, i) => [pong, String(i)])],
    ['a ping between messages', [f(text, 'a'), f(ping, 'b'), f(text, 'c')], [[text, 'a'], [pong, 'b'], [text, 'c']]],
    ['a ping before the close frame is answered', [f(ping, 'last'), closing(1001)], [[pong, 'last']], 1001],
  ],
  '5.5.3 Pong': [
    ...controlRules('pong', pong),
    fails('a pong of 126 bytes', 1002, f(pong, filled(126))),
    ...like('2',
      ['an unsolicited pong', [f(pong)], []],
      ['an unsolicited pong with a payload', [f(pong, 'unsolicited')], []],
      ['an unsolicited pong, then a ping', [f(pong, 'unsolicited'), f(ping, 'ping')], [[pong, 'ping']]],
      ['a pong of 125 bytes', [f(pong, filled(125))], []],
      ['a pong that is not UTF-8', [f(pong, hex('ff'))], []],
      ['ten pongs and a message', [...Array.from({ length: 10 }, () => f(pong, 'x')), f(text, 'y')], [[text, 'y']]],
      ['a thousand pongs and a ping', [...Array.from({ length: 1000 }, () => f(pong, 'x')), f(ping, 'y')], [[pong, 'y']]]),
  ],
  '5.6 Data frames': [
    ...like('1.1', ['text comes back as text', [f(text, 'Hello')], [[text, 'Hello']]]),
    ...like('1.2', ['binary comes back as binary', [f(binary, 'Hello')], [[binary, 'Hello']]]),
    ['binary need not be UTF-8', [f(binary, hex('ff fe c0 80 ed a0 80'))], [[binary, hex('ff fe c0 80 ed a0 80')]]],
    ['text of NULs is text', [f(text, Buffer.alloc(100))], [[text, Buffer.alloc(100)]]],
    ['a thousand messages at once, in order', Array.from({ length: 1000 }, (_, i) => f(i % 2 ? text : binary, String(i))),
      Array.from({ length: 1000 }, (_, i) => [i % 2 ? text : binary, String(i)])],
  ],
};

export const framing = { ...masking, ...headers, ...fragmentation, ...control };
