/* RFC 6455 §7 and §10.4: close codes, the end of TCP, limits. */
import {
  begun, binary, closing, continuation, f, filled, fragments, header, part, ping, pong, text,
} from './bytes.js';
import { END, come, like } from './rows.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const limited = query => ({ target: `/echo?${query}` });

const good = codes => codes.flatMap(code => [
  [`${code} comes back`, [closing(code)], [], code],
  [`${code} comes back with its reason`, [closing(code, `because of ${code}`)], [], code, `because of ${code}`],
]);
const bad = codes => codes.flatMap(code => [
  [`${code} fails with 1002`, [closing(code)], [], 1002],
  [`${code} with a reason fails with 1002, and the message before it comes back`, [f(text, 'a'), closing(code, 'why')], [[text, 'a']], 1002],
]);

const endless = Buffer.alloc(MiB, 'x');
const gone = { closes: false };

export const ending = {
  '7.1.1 The end of TCP': [
    ['bytes behind the close frame do not prevent the answer', [f(text, 'a'), closing(1000), endless], [[text, 'a']], 1000],
    ['whole messages behind the close frame do not prevent the answer', [closing(3000), ...fragments(binary, endless, 4 * KiB)], [], 3000],
    ['a client that ends its side after its close frame gets everything', [f(text, 'a'), f(ping, 'b'), closing(1000), END], [[text, 'a'], [pong, 'b']], 1000],
    ['a client that ends its side after a failure gets the close frame', [f(text, 'a'), f(3), END], [[text, 'a']], 1002],
    ['a client that ends its side after half a frame that fails gets the close frame', [begun(text, Buffer.from([0xff])), END], [], 1007],
  ],
  '7.1.5 The end without a close frame': [
    ['before the first frame: no close frame', [END], [], undefined, '', gone],
    ['between messages', [f(text, 'a'), come(1), END], [[text, 'a']], undefined, '', gone],
    ['inside a message', [f(text, 'a'), come(1), part(text, 'half'), END], [[text, 'a']], undefined, '', gone],
    ['inside a frame', [begun(text, 'half'), END], [], undefined, '', gone],
    ['inside a header', [f(text, filled(200)).subarray(0, 3), END], [], undefined, '', gone],
    ['inside a close frame', [closing(1000).subarray(0, -1), END], [], undefined, '', gone],
    ['inside a character', [begun(text, Buffer.from([0xe2])), END], [], undefined, '', gone],
  ],
  '7.1.7 A failed connection': [
    ['bytes behind the failure do not prevent the close frame', [f(text, 'a'), f(3), endless], [[text, 'a']], 1002],
    ['whole messages behind the failure do not prevent it, and none comes back', [f(text, Buffer.from([0xff])), ...fragments(binary, endless, 4 * KiB)], [], 1007],
    ['the close frame of a peer that has failed is not answered', [f(3), closing(1000)], [], 1002],
    ['a second failure changes nothing', [f(text, Buffer.from([0xff])), f(3), f(3)], [], 1007],
    ['a message that is too large, then a failure: the first is reported', [header(binary, 16777217, { lengthBytes: 8 }), f(3)], [], 1009],
  ],
  '7.4.1 Defined codes': [
    ...like('7.7', ...good([1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011])),
    ...good([1012, 1013, 1014]),
    ...like('7.9', ...bad([1004, 1005, 1006])),
    ...bad([1015]),
  ],
  '7.4.2 Ranges of codes': [
    ...like('7.7', ...good([3000, 3001, 3998, 3999, 4000, 4001, 4401, 4998, 4999])),
    ...like('7.9', ...bad([0, 1, 100, 255, 256, 998, 999, 1016, 1017, 1100, 1999, 2000, 2001, 2998, 2999])),
    ...like('7.13', ...bad([5000, 5001, 32768, 65534, 65535])),
  ],
  '10.4 Limits': [
    ['a message as long as the limit', [f(text, 'x'.repeat(100))], [[text, 'x'.repeat(100)]], undefined, '', limited('message_bytes=100')],
    ['a message one byte longer fails with 1009', [f(text, 'a'), f(text, 'x'.repeat(101))], [[text, 'a']], 1009, '', limited('message_bytes=100')],
    ...[[101, 0], [126, 2], [65535, 2], [65536, 8]].flatMap(([size, lengthBytes]) => [
      [`a length of ${size} beyond the limit fails with 1009 by the header alone`, [f(text, 'a'), header(text, size, { lengthBytes })], [[text, 'a']], 1009, '',
        limited('message_bytes=100')],
      [`a fragment of ${size} beyond the limit fails with 1009`, [f(text, 'a'), header(binary, size, { lengthBytes, fin: false })], [[text, 'a']], 1009, '', limited('message_bytes=100')],
      [`a continuation of ${size} beyond the limit fails with 1009`, [part(text, 'a'), header(continuation, size, { lengthBytes })], [], 1009, '', limited('message_bytes=100')],
    ]),
    ['an empty message comes back with a limit of 0', [f(text), f(binary)], [[text, ''], [binary, '']], undefined, '', limited('message_bytes=0')],
    ['a message of one byte fails with a limit of 0', [f(text, 'x')], [], 1009, '', limited('message_bytes=0')],
    ['fragments that are as long as the limit together', [part(binary, filled(60)), f(continuation, filled(40))],
      [[binary, Buffer.concat([filled(60), filled(40)])]], undefined, '', limited('message_bytes=100')],
    ['fragments that are longer together fail with 1009', [part(binary, filled(60)), f(continuation, filled(41))], [], 1009, '',
      limited('message_bytes=100')],
    ['fragments that are longer together fail by the header alone', [part(binary, filled(60)), begun(continuation, '', 41)], [], 1009, '', limited('message_bytes=100')],
    ['a sum that would overflow fails with 1009', [part(binary, filled(60)), header(continuation, (1n << 63n) - 1n, { lengthBytes: 8 })], [], 1009,
      '', limited('message_bytes=100')],
    ['the limit applies to each message', Array.from({ length: 10 }, () => f(text, 'x'.repeat(100))),
      Array.from({ length: 10 }, () => [text, 'x'.repeat(100)]), undefined, '', limited('message_bytes=100')],
    ['a control frame does not count for the limit', [part(text, 'x'.repeat(60)), f(ping, 'p'.repeat(60)), f(continuation, 'x'.repeat(40))],
      [[pong, 'p'.repeat(60)], [text, 'x'.repeat(100)]], undefined, '', limited('message_bytes=100')],
    ['a control frame is not limited', [f(ping, 'p'.repeat(125))], [[pong, 'p'.repeat(125)]], undefined, '', limited('message_bytes=100')],
    ['as many fragments as the limit', fragments(text, 'abc', 1), [[text, 'abc']], undefined, '', limited('fragments=3')],
    ['one fragment more fails with 1008', fragments(text, 'abcd', 1), [], 1008, 'too many fragments', limited('fragments=3')],
    ['one fragment more fails by the header alone', [...fragments(text, 'abcd', 1).slice(0, 3), begun(continuation, '', 5)], [], 1008, 'too many fragments', limited('fragments=3')],
    ['empty fragments count', [part(text), part(continuation), part(continuation), f(continuation)], [], 1008, 'too many fragments', limited('fragments=3')],
    ['control frames between fragments do not count', fragments(text, 'abc', 1).flatMap(one => [f(ping, 'p'), one]),
      [...Array.from({ length: 3 }, () => [pong, 'p']), [text, 'abc']], undefined, '', limited('fragments=3')],
    ['the limit on fragments applies to each message', [...fragments(text, 'abc', 1), ...fragments(text, 'def', 1)], [[text, 'abc'], [text, 'def']],
      undefined, '', limited('fragments=3')],
    ['messages before the limit come back', [f(text, 'a'), ...fragments(text, 'abcd', 1)], [[text, 'a']], 1008, 'too many fragments', limited('fragments=3')],
    ['the gateway\'s own limit', [f(binary, filled(65536)), f(binary, filled(65537))], [[binary, filled(65536)]], 1009, '', { target: '/echo' }],
  ],
};
