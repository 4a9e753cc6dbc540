/* RFC 6455 §8.1 and RFC 3629: valid and invalid UTF-8; invalid text fails on the exact byte. */
import { begun, close, closing, continuation, f, fragments, hex, part, ping, pong, text } from './bytes.js';
import { come, like } from './rows.js';

const range = (from, to, show) => Array.from({ length: to - from + 1 }, (_, i) => show((from + i).toString(16))).join(' ');
const greek = 'ce ba e1 bd b9 cf 83 ce bc ce b5'; // κόσμε
const hello = digits => `68 65 6c 6c 6f ${digits} 77 6f 72 6c 64`;
const beginnings = hex(greek).length;
const cut = count => hex(greek).subarray(0, count).toString('hex');
const isWhole = count => [2, 5, 7, 9, 11].includes(count);

/* Autobahn's groups of sequences, which come from Markus Kuhn's decoder test. */
const VALID = {
  '6.5': [hello('24'), hello('c2 a2'), hello('e2 82 ac'), hello('f0 a4 ad a2'), greek],
  '6.6': Array.from({ length: beginnings }, (_, i) => i + 1).filter(isWhole).map(cut),
  '6.7': ['00', 'c2 80', 'e0 a0 80', 'f0 90 80 80'],
  '6.9': ['7f', 'df bf', 'ef bf bf', 'f4 8f bf bf'],
  '6.11': ['ed 9f bf', 'ee 80 80', 'ef bf bd', 'f4 8f bf bf'],
  '6.22': ['ef bf be', 'ef bf bf', ...['f0', 'f1', 'f2', 'f3', 'f4'].flatMap(first =>
    (first === 'f4' ? ['8f'] : first === 'f0' ? ['9f', 'af', 'bf'] : ['8f', '9f', 'af', 'bf'])
      .flatMap(second => ['be', 'bf'].map(last => `${first} ${second} bf ${last}`)))],
  '6.23': ['b9', 'ba', 'bb', 'bc', 'bd', 'be', 'bf'].map(last => `ef bf ${last}`),
};

const LAST_MISSING = [
  'c0', 'e0 80', 'f0 80 80', 'f8 80 80 80', 'fc 80 80 80 80', 'df', 'ef bf', 'f7 bf bf', 'fb bf bf bf', 'fd bf bf bf bf'];

const INVALID = {
  '6.6': Array.from({ length: beginnings }, (_, i) => i + 1).filter(count => !isWhole(count)).map(cut),
  '6.8': ['f8 88 80 80 80', 'fc 84 80 80 80 80'],
  '6.10': ['f7 bf bf bf', 'fb bf bf bf bf', 'fd bf bf bf bf bf'],
  '6.11': ['f4 90 80 80'],
  '6.12': ['80', 'bf', '80 bf', '80 bf 80', '80 bf 80 bf', '80 bf 80 bf 80', '80 bf 80 bf 80 bf', range(0x80, 0xbf, one => one)],
  '6.13': [[0xc0, 0xdf], [0xe0, 0xef], [0xf0, 0xf7], [0xf8, 0xfb], [0xfc, 0xfd]].map(([from, to]) => range(from, to, one => `${one} 20`)),
  '6.14': LAST_MISSING,
  '6.15': [LAST_MISSING.join(' ')],
  '6.16': ['fe', 'ff', 'fe fe ff ff'],
  '6.17': ['c0 af', 'e0 80 af', 'f0 80 80 af', 'f8 80 80 80 af', 'fc 80 80 80 80 af'],
  '6.18': ['c1 bf', 'e0 9f bf', 'f0 8f bf bf', 'f8 87 bf bf bf', 'fc 83 bf bf bf bf'],
  '6.19': ['c0 80', 'e0 80 80', 'f0 80 80 80', 'f8 80 80 80 80', 'fc 80 80 80 80 80'],
  '6.20': ['ed a0 80', 'ed ad bf', 'ed ae 80', 'ed af bf', 'ed b0 80', 'ed be 80', 'ed bf bf'],
  '6.21': ['a0 80', 'ad bf', 'ae 80', 'af bf'].flatMap(high => ['b0 80', 'bf bf'].map(low => `ed ${high} ed ${low}`)),
};

/* Beyond these groups. The last byte makes the text invalid. */
const BROKEN = {
  'one continuation byte too many': 'c3 a9 80',
  'C0': 'c0', 'C1': 'c1', 'F5': 'f5', 'F8': 'f8', 'FC': 'fc', 'FE': 'fe', 'FF': 'ff',
  'two bytes, then ASCII': 'c3 41', 'three bytes, interrupted by ASCII': 'e2 82 41', 'four bytes, interrupted by ASCII': 'f0 9f 98 41',
  'a character inside another': 'e2 82 c3', 'a character of four inside another': 'f0 9f f0',
  'an overlong of three bytes': 'e0 9f', 'an overlong slash of three bytes': 'e0 80', 'an overlong of four bytes': 'f0 8f',
  'an overlong NUL of four bytes': 'f0 80',
  'the first surrogate': 'ed a0', 'the last surrogate': 'ed bf', 'a surrogate behind a character': 'e2 82 ac ed a0',
  'U+110000': 'f4 90', 'Greek, then a surrogate': `${greek} ed a0`, 'Greek, then beyond U+10FFFF': `${greek} f4 90`,
  'after long ASCII': `${'41 '.repeat(300)} 80`,
};

const INCOMPLETE = { 'one of two bytes': 'c3', 'two of three': 'e2 82', 'three of four': 'f0 9f 98', 'Greek and one more': 'ce ba e1' };

/* The number of bytes up to the one that makes the text invalid; 0: only its end does. */
function wrongAt(bytes) {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  for (let at = 0; at < bytes.length; at++) {
    try {
      decoder.decode(bytes.subarray(at, at + 1), { stream: true });
    } catch {
      return at + 1;
    }
  }
  return 0;
}

const entries = Object.entries;
const short = digits => digits.length > 40 ? `${digits.slice(0, 38)} …` : digits;
const unique = entries(INVALID).flatMap(([, list]) => list).filter((digits, i, all) => all.indexOf(digits) === i && wrongAt(hex(digits)));

/* Fragments of one byte, up to the wrong one; the message never ends. */
const byByte = bytes => [...bytes].map((byte, i) => part(i ? continuation : text, Buffer.from([byte])));

const EDITED = [hex(greek), hex('f4 90 80 80'), Buffer.from('edited')];

export const utf8 = {
  '8.1 Valid UTF-8': [
    ...like('6.1',
      ['no bytes', [f(text)], [[text, '']]],
      ['three fragments of no bytes', [part(text), part(continuation), f(continuation)], [[text, '']]],
      ['three fragments, of which only the second is not empty', [part(text), part(continuation, 'middle'), f(continuation)], [[text, 'middle']]]),
    ...like('6.2',
      ['characters of two bytes and more', [f(text, 'Hello-µ@ßöäüàá-UTF-8!!')], [[text, 'Hello-µ@ßöäüàá-UTF-8!!']]],
      ['two fragments, split between characters', [part(text, 'Hello-µ@ßöä'), f(continuation, 'üàá-UTF-8!!')], [[text, 'Hello-µ@ßöäüàá-UTF-8!!']]],
      ['fragments of one byte', fragments(text, 'Hello-µ@ßöäüàá-UTF-8!!', 1), [[text, 'Hello-µ@ßöäüàá-UTF-8!!']]],
      ['Greek in fragments of one byte', fragments(text, hex(greek), 1), [[text, hex(greek)]]]),
    ...entries(VALID).flatMap(([group, list]) => like(group, ...list.map(digits => [`${digits} (${group})`, [f(text, hex(digits))], [[text, hex(digits)]]]))),
    ...['6.7', '6.9', '6.11', '6.23'].flatMap(group => like(group, ...VALID[group].map(digits =>
      [`${digits} in fragments of one byte (${group})`, fragments(text, hex(digits), 1), [[text, hex(digits)]]]))),
    ...[1, 2, 3].map(at => [`a character of four bytes, split after byte ${at}`,
      [part(text, Buffer.from('🙂').subarray(0, at)), f(continuation, Buffer.from('🙂').subarray(at))], [[text, '🙂']]]),
    ['a byte order mark is kept', [f(text, '\ufeffa')], [[text, '\ufeffa']]],
    ['U+FDD0, a noncharacter', [f(text, '\ufdd0')], [[text, '\ufdd0']]],
    ['a character split by a ping', [part(text, hex('e2 82')), f(ping, hex('ff')), f(continuation, hex('ac'))],
      [[pong, hex('ff')], [text, '€']]],
    ['a character split by a pong that is not UTF-8', [part(text, hex('e2 82')), f(pong, hex('80')), f(continuation, hex('ac'))], [[text, '€']]],
    ['an empty fragment inside a character', [part(text, hex('e2')), part(continuation), f(continuation, hex('82 ac'))], [[text, '€']]],
    ['state does not leak from a message to the next', [part(text, 'a'), f(continuation, '€'), f(text, '€')], [[text, 'a€'], [text, '€']]],
    ['state does not leak from a truncated binary', [f(2, hex('e2 82')), f(text, 'a')], [[2, hex('e2 82')], [text, 'a']]],
    ['state does not leak between a message and the reason of a close frame', [f(text, 'ä'), closing(1000, 'ä')], [[text, 'ä']], 1000, 'ä'],
  ],
  '8.1 Invalid UTF-8': [
    ...like('6.3',
      ['a surrogate inside a text fails with 1007', [f(text, hex(`${greek} ed a0 80 65 64 69 74 65 64`))], [], 1007],
      ['a surrogate inside a text in fragments of one byte fails with 1007', fragments(text, hex(`${greek} ed a0 80 65 64 69 74 65 64`), 1), [], 1007]),
    ...entries(INVALID).flatMap(([group, list]) => like(group, ...list.map(digits =>
      [`${short(digits)} fails with 1007 (${group})`, [f(text, 'ok'), f(text, hex(digits))], [[text, 'ok']], 1007]))),
    ...like('6.3',
      ...entries(BROKEN).map(([name, digits]) => [`${name} fails with 1007`, [f(text, 'ok'), f(text, hex(digits))], [[text, 'ok']], 1007])),
    ...like('6.14', ...entries(INCOMPLETE).flatMap(([name, digits]) => [
      [`${name} at the end fails with 1007`, [f(text, hex(digits))], [], 1007],
      [`${name} at the end of the last fragment fails with 1007`, [part(text, 'a'), f(continuation, hex(digits))], [], 1007],
      [`${name}, ended by an empty fragment, fails with 1007`, [part(text, hex(digits)), f(continuation)], [], 1007],
    ])),
    ['a binary may be invalid UTF-8, a text after it may not', [f(2, hex('ff')), f(text, hex('ff'))], [[2, hex('ff')]], 1007],
  ],
  '8.1 On the exact byte': [
    ...like('6.4',
      ['valid, then invalid: 1007 before the third fragment', [part(text, EDITED[0]), part(continuation, EDITED[1])], [], 1007],
      ['valid and one byte of four, then the second: 1007', [part(text, hex(`${greek} f4`)), part(continuation, hex('90'))], [], 1007],
      ['valid, then invalid, in one incomplete frame', [begun(text, Buffer.concat([EDITED[0], EDITED[1]]), 6)], [], 1007],
      ['a wrong second byte in an incomplete frame', [begun(text, hex(`${greek} f4 90`), 8)], [], 1007]),
    ['waits while the text is valid so far', [part(text, EDITED[0]), f(ping, 'still here?'), come(1), part(continuation, EDITED[1])],
      [[pong, 'still here?']], 1007],
    ...entries(BROKEN).map(([name, digits]) => [`${name}: 1007 before the end of the frame`, [begun(text, hex(digits))], [], 1007]),
    ...unique.map(digits => [`${short(digits)}: 1007 by byte ${wrongAt(hex(digits))}`,
      [begun(text, hex(digits).subarray(0, wrongAt(hex(digits))))], [], 1007]),
    ...entries(BROKEN).filter(([, digits]) => hex(digits).length < 20).map(([name, digits]) =>
      [`${name}, in fragments of one byte: 1007 before the end of the message`, byByte(hex(digits)), [], 1007]),
    ['in an incomplete second fragment', [part(text, hex('e2')), begun(continuation, hex('28'), 1000)], [], 1007],
    ['far inside a large frame', [begun(text, Buffer.concat([Buffer.alloc(5000, 'x'), hex('ed a0')]), 60000)], [], 1007],
    ['after a ping inside the message', [part(text, hex('e2')), f(ping, 'p'), begun(continuation, hex('28'))], [[pong, 'p']], 1007],
  ],
  '7.1.6 A reason is UTF-8': [
    ['a reason beyond ASCII comes back', [closing(1000, 'ä€🙂')], [], 1000, 'ä€🙂'],
    ['a reason that ends with a character at byte 123', [closing(1000, `${'x'.repeat(119)}🙂`)], [], 1000, `${'x'.repeat(119)}🙂`],
    ['a reason of noncharacters', [closing(1000, '\uffff\ufdd0')], [], 1000, '\uffff\ufdd0'],
    ...like('7.5',
      ['a surrogate inside a reason fails with 1007', [f(close, hex(`03e8 ${greek} ed a0 80 65 64 69 74 65 64`))], [], 1007],
      ...['ff', 'c0 80', 'ed a0 80', 'e2 82', 'f4 90 80 80', 'f8 88 80 80 80', '80', 'c3 41'].map(digits =>
        [`a reason of ${digits} fails with 1007`, [f(close, Buffer.concat([hex('03e8'), hex(digits)]))], [], 1007])),
    ['a reason truncated within a character at byte 123 fails with 1007', [f(close, Buffer.concat([hex('03e8'), Buffer.alloc(121, 'x'), hex('e2 82')]))], [], 1007],
    ['an incomplete text before it does not complete a character of the reason', [part(text, hex('e2')), f(close, hex('03e8 82 ac'))], [], 1007],
    ['a bad code with a bad reason fails with 1002', [f(close, hex('03ed ff'))], [], 1002],
  ],
};
