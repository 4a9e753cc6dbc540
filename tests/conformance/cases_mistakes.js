/* RFC 6455 §7.1.7: whatever is wrong with a frame, and wherever the frame is, the connection fails with the
 * code for this mistake; messages that were complete before it are answered, an incomplete one is not, and
 * everything after it is ignored. Every mistake in every place. */
import {
  begun, binary, closing, close, continuation, f, filled, framed, header, hex, part, ping, pong, text,
} from './bytes.js';

const HUGE = 1n << 63n;

/* name, the code, the frame */
const MISTAKES = [
  ['an unmasked frame', 1002, f(text, 'x', { mask: null })],
  ['RSV1', 1002, f(text, 'x', { rsv: 4 })],
  ['RSV2', 1002, f(text, 'x', { rsv: 2 })],
  ['RSV3', 1002, f(text, 'x', { rsv: 1 })],
  ['a reserved data opcode', 1002, f(7, 'x')],
  ['a reserved control opcode', 1002, f(15, 'x')],
  ['a fragmented ping', 1002, part(ping, 'x')],
  ['a ping of 126 bytes', 1002, f(ping, filled(126))],
  ['a length in too many bytes', 1002, framed(binary, 'x', 2)],
  ['a length in far too many bytes', 1002, framed(binary, 'x', 8)],
  ['a length of 2^63', 1002, header(binary, HUGE, { lengthBytes: 8 })],
  ['a close frame of one byte', 1002, f(close, 'x')],
  ['a close code that is not for frames', 1002, closing(1006)],
  ['a reason that is not UTF-8', 1007, f(close, hex('03e8ff'))],
];

/* These are mistakes only outside a message, */
const BETWEEN = [
  ['text that is not UTF-8', 1007, begun(text, hex('ff'))],
  ['text that ends within a character', 1007, f(text, hex('c3'))],
  ['a message beyond the limit', 1009, header(binary, 16777217, { lengthBytes: 8 })],
  ['a continuation without a message', 1002, f(continuation, 'x')],
];

/* and these only inside a text. */
const INSIDE = [
  ['a continuation that is not UTF-8', 1007, begun(continuation, hex('ff'))],
  ['a continuation that ends within a character', 1007, f(continuation, hex('c3'))],
  ['a continuation beyond the limit', 1009, header(continuation, 16777216, { lengthBytes: 8 })],
  ['a new text', 1002, f(text, 'x')],
  ['a new binary', 1002, f(binary, 'x')],
];

/* name, frames before the mistake, their answers */
const PLACES = [
  ['as the first frame', [], []],
  ['behind two messages and a ping', [f(text, 'a'), f(binary, filled(200)), f(ping, 'p')], [[text, 'a'], [binary, filled(200)], [pong, 'p']]],
  ['behind a fragmented message', [part(text, 'a'), f(continuation, 'b')], [[text, 'ab']]],
];
const HALF = [
  ['inside a message', [f(text, 'a'), part(text, 'half')], [[text, 'a']]],
  ['behind a ping inside a message', [part(text, 'half'), f(ping, 'p')], [[pong, 'p']]],
];
const FOLLOWING = [f(text, 'after'), f(ping, 'after'), closing(1000)];

const row = ([name, code, bad], [place, send, back], more) =>
  [`${name} ${place}: ${code}`, [...send, bad, ...FOLLOWING], back, code, '', more];

const between = [...MISTAKES, ...BETWEEN];
const inside = [...MISTAKES, ...INSIDE];

export const mistakes = {
  '7.1.7 A mistake in any place': [
    ...between.flatMap(mistake => PLACES.map(place => row(mistake, place))),
    ...inside.flatMap(mistake => HALF.map(place => row(mistake, place))),
    ...between.map(mistake => row(mistake, ['in one write with the request', [f(text, 'a')], [[text, 'a']]], { early: true })),
  ],
};
