/* RFC 6455 §8.1 and RFC 3629: text that is UTF-8, and what is not; failed on the very octet. */
import { begun, close, closing, continuation, f, fragments, hex, part, ping, pong, text } from './octets.js';

const VALID = {
  'Greek': 'ce ba e1 bd b9 cf 83 ce bc ce b5',
  'NUL': '00', 'DEL': '7f',
  'U+0080, the first of two octets': 'c2 80', 'U+07FF, the last of two': 'df bf',
  'U+0800, the first of three': 'e0 a0 80', 'U+FFFF, the last of three': 'ef bf bf',
  'U+10000, the first of four': 'f0 90 80 80', 'U+10FFFF, the last of all': 'f4 8f bf bf',
  'U+D7FF, before the surrogates': 'ed 9f bf', 'U+E000, after the surrogates': 'ee 80 80',
  'U+FFFD': 'ef bf bd', 'U+FFFE, no character': 'ef bf be', 'U+FDD0, no character': 'ef b7 90',
  'U+1FFFE, no character': 'f0 9f bf be', 'a byte order mark': 'ef bb bf 61',
};

/* The first octets are fine, the last one shown makes it invalid. */
const INVALID = {
  'a continuation octet alone': '80', 'another': 'bf', 'a continuation octet too many': 'c3 a9 80',
  'C0': 'c0', 'C1': 'c1', 'F5': 'f5', 'F8': 'f8', 'FC': 'fc', 'FE': 'fe', 'FF': 'ff',
  'two octets, then ASCII': 'c3 41', 'three octets, cut by ASCII': 'e2 82 41', 'four octets, cut by ASCII': 'f0 9f 98 41',
  'a character inside another': 'e2 82 c3',
  'an overlong of three octets': 'e0 9f', 'an overlong slash of three octets': 'e0 80', 'an overlong of four octets': 'f0 8f',
  'an overlong NUL of four octets': 'f0 80',
  'the first surrogate': 'ed a0', 'the last surrogate': 'ed bf', 'a pair of surrogates': 'ed a0',
  'U+110000': 'f4 90', 'Greek, then a surrogate': 'ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0',
  'Greek, then beyond U+10FFFF': 'ce ba e1 bd b9 cf 83 ce bc ce b5 f4 90',
};

const INCOMPLETE = { 'one of two octets': 'c3', 'two of three': 'e2 82', 'three of four': 'f0 9f 98', 'Greek and one more': 'ce ba e1' };

const entries = Object.entries;

export const utf8 = {
  '8.1 Valid UTF-8': [
    ...entries(VALID).map(([name, digits]) => [name, [f(text, hex(digits))], [[text, hex(digits)]]]),
    ...entries(VALID).map(([name, digits]) => [`${name}, an octet a fragment`, fragments(text, hex(digits), 1), [[text, hex(digits)]]]),
    ['a character cut by a ping', [part(text, hex('e2 82')), f(ping, hex('ff')), f(continuation, hex('ac'))],
      [[pong, hex('ff')], [text, '€']]],
    ['an empty fragment inside a character', [part(text, hex('e2')), part(continuation), f(continuation, hex('82 ac'))], [[text, '€']]],
    ['state does not leak from a message to the next', [part(text, 'a'), f(continuation, '€'), f(text, '€')], [[text, 'a€'], [text, '€']]],
  ],
  '8.1 Invalid UTF-8': [
    ...entries(INVALID).map(([name, digits]) => [`${name} fails with 1007`, [f(text, 'ok'), f(text, hex(digits))], [[text, 'ok']], 1007]),
    ...entries(INVALID).map(([name, digits]) =>
      [`${name}, an octet a fragment, fails with 1007 before the last`, [...fragments(text, hex(digits), 1).slice(0, -1),
        part(hex(digits).length > 1 ? continuation : text, hex(digits).subarray(-1))], [], 1007]),
    ...entries(INCOMPLETE).map(([name, digits]) => [`${name} at the end fails with 1007`, [f(text, hex(digits))], [], 1007]),
    ...entries(INCOMPLETE).map(([name, digits]) =>
      [`${name} at the end of the last fragment fails with 1007`, [part(text, 'a'), f(continuation, hex(digits))], [], 1007]),
    ['an incomplete character, ended by an empty fragment, fails with 1007', [part(text, hex('e2 82')), f(continuation)], [], 1007],
  ],
  '8.1 On the very octet': [
    ...entries(INVALID).map(([name, digits]) => [`${name}: 1007 though the frame is not complete`, [begun(text, hex(digits))], [], 1007]),
    ['in the second fragment, which is not complete', [part(text, hex('e2')), begun(continuation, hex('28'), 1000)], [], 1007],
    ['far inside a large frame', [begun(text, Buffer.concat([Buffer.alloc(5000, 'x'), hex('ed a0')]), 60000)], [], 1007],
  ],
  '7.1.6 A reason is UTF-8': [
    ['a reason beyond ASCII comes back', [closing(1000, 'ä€🙂')], [], 1000, 'ä€🙂'],
    ...['ff', 'c0 80', 'ed a0 80', 'e2 82', 'f4 90 80 80', 'ce ba e1 bd b9 cf 83 ce bc ce b5 ed a0 80'].map(digits =>
      [`a reason of ${digits} fails with 1007`, [f(close, Buffer.concat([hex('03e8'), hex(digits)]))], [], 1007]),
  ],
};
