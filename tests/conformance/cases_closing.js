/* RFC 6455 §7.4, §9, §10: close codes, no extensions, limits, and messages of many sizes. */
import {
  begun, binary, closing, continuation, f, filled, filledText, fragments, header, part, ping, pong, text,
} from './octets.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const limited = query => ({ target: `/echo?${query}` });

const good = codes => codes.flatMap(code => [
  [`${code} comes back`, [closing(code)], [], code],
  [`${code} comes back with its reason`, [closing(code, `because of ${code}`)], [], code, `because of ${code}`],
]);
const bad = codes => codes.flatMap(code => [
  [`${code} fails with 1002`, [closing(code)], [], 1002],
  [`${code} with a reason fails with 1002, and what came before comes back`, [f(text, 'a'), closing(code, 'why')], [[text, 'a']], 1002],
]);

const endless = Buffer.alloc(MiB, 'x');

export const ending = {
  '7.1.1 The end of TCP': [
    ['octets behind the close frame do not keep the answer from arriving', [f(text, 'a'), closing(1000), endless], [[text, 'a']], 1000],
    ['nor do whole messages', [closing(3000), ...fragments(binary, endless, 4 * KiB)], [], 3000],
  ],
  '7.1.7 A failed connection': [
    ['octets behind the failure do not keep the close frame from arriving', [f(text, 'a'), f(3), endless], [[text, 'a']], 1002],
    ['nor do whole messages, and none of them comes back', [f(text, Buffer.from([0xff])), ...fragments(binary, endless, 4 * KiB)], [], 1007],
    ['the close frame of a peer who has failed is not answered', [f(3), closing(1000)], [], 1002],
  ],
  '7.4.1 Defined codes': [
    ...good([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014]),
    ...bad([1004, 1005, 1006, 1015]),
  ],
  '7.4.2 Ranges of codes': [
    ...good([3000, 3999, 4000, 4999]),
    ...bad([0, 1, 999, 1016, 1100, 2000, 2999, 5000, 65535]),
  ],
  '10.4 Limits': [
    ['a message as long as the limit', [f(text, 'x'.repeat(100))], [[text, 'x'.repeat(100)]], undefined, '', limited('message_bytes=100')],
    ['one octet more fails with 1009', [f(text, 'a'), f(text, 'x'.repeat(101))], [[text, 'a']], 1009, '', limited('message_bytes=100')],
    ['fragments as long as the limit together', [part(binary, filled(60)), f(continuation, filled(40))],
      [[binary, Buffer.concat([filled(60), filled(40)])]], undefined, '', limited('message_bytes=100')],
    ['fragments that are longer together fail with 1009', [part(binary, filled(60)), f(continuation, filled(41))], [], 1009, '',
      limited('message_bytes=100')],
    ['they fail by the header alone', [part(binary, filled(60)), begun(continuation, '', 41)], [], 1009, '', limited('message_bytes=100')],
    ['a sum that would overflow fails with 1009', [part(binary, filled(60)), header(continuation, (1n << 63n) - 1n, { octets: 8 })], [], 1009,
      '', limited('message_bytes=100')],
    ['the limit counts anew with each message', Array.from({ length: 10 }, () => f(text, 'x'.repeat(100))),
      Array.from({ length: 10 }, () => [text, 'x'.repeat(100)]), undefined, '', limited('message_bytes=100')],
    ['a control frame does not count', [part(text, 'x'.repeat(60)), f(ping, 'p'.repeat(60)), f(continuation, 'x'.repeat(40))],
      [[pong, 'p'.repeat(60)], [text, 'x'.repeat(100)]], undefined, '', limited('message_bytes=100')],
    ['as many fragments as the limit', fragments(text, 'abc', 1), [[text, 'abc']], undefined, '', limited('fragments=3')],
    ['one fragment more fails with 1008', fragments(text, 'abcd', 1), [], 1008, '', limited('fragments=3')],
    ['empty fragments count', [part(text), part(continuation), part(continuation), f(continuation)], [], 1008, '', limited('fragments=3')],
    ['fragments count anew with each message', [...fragments(text, 'abc', 1), ...fragments(text, 'def', 1)], [[text, 'abc'], [text, 'def']],
      undefined, '', limited('fragments=3')],
    ['the gateway\'s own limit', [f(binary, filled(65536)), f(binary, filled(65537))], [[binary, filled(65536)]], 1009, '', { target: '/echo' }],
    ...['message_bytes=16777217', 'message_bytes=x', 'message_bytes=', 'fragments=65537', 'unknown=1', ''].map(query =>
      [`the echo refuses "?${query}": 400`, [], [], undefined, '', { ...limited(query), status: 400 }]),
  ],
};

const label = size => size >= MiB ? `${size / MiB} MiB` : size >= KiB ? `${size / KiB} KiB` : `${size} octets`;
const kinds = { text: [text, filledText], binary: [binary, filled] };

export const sizes = {
  '5.6 Large messages': Object.entries(kinds).flatMap(([name, [opcode, fill]]) =>
    [256 * KiB, MiB, 4 * MiB, 16 * MiB].map(size => [`${name} of ${label(size)}`, [f(opcode, fill(size))], [[opcode, fill(size)]]])),
  '5.4 Large messages in fragments': [
    ...Object.entries(kinds).flatMap(([name, [opcode, fill]]) =>
      [[256 * KiB, 64], [MiB, 256], [4 * MiB, 4 * KiB], [4 * MiB, MiB]].map(([size, piece]) =>
        [`${name} of ${label(size)} in fragments of ${label(piece)}`, fragments(opcode, fill(size), piece), [[opcode, fill(size)]]])),
    ['binary of 4 MiB in fragments of 64 octets', fragments(binary, filled(4 * MiB), 64), [[binary, filled(4 * MiB)]]],
    ['text of 64 KiB in fragments of 1300 octets', fragments(text, filledText(64 * KiB), 1300), [[text, filledText(64 * KiB)]]],
    ['a ping after every fragment of 4 KiB of 1 MiB', fragments(binary, filled(MiB), 4 * KiB).flatMap((one, i) => [one, f(ping, String(i))]),
      [...Array.from({ length: 255 }, (_, i) => [pong, String(i)]), [binary, filled(MiB)], [pong, '255']]],
  ],
  '5.6 Many messages': [
    ...[16, 256, 4 * KiB].flatMap(size => Object.entries(kinds).map(([name, [opcode, fill]]) =>
      [`a thousand ${name} messages of ${label(size)}`, Array.from({ length: 1000 }, (_, i) => f(opcode, fill(size, i))),
        Array.from({ length: 1000 }, (_, i) => [opcode, fill(size, i)])])),
    ['large messages and pings by turns', Array.from({ length: 8 }, (_, i) => [f(binary, filled(MiB, i)), f(ping, String(i))]).flat(),
      Array.from({ length: 8 }, (_, i) => [[binary, filled(MiB, i)], [pong, String(i)]]).flat()],
    ['large messages, then a failure: all come back', [...Array.from({ length: 4 }, (_, i) => f(binary, filled(MiB, i))), f(3)],
      Array.from({ length: 4 }, (_, i) => [binary, filled(MiB, i)]), 1002],
  ],
};
