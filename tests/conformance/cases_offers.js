/* RFC 7692 §5.1, §7.1 and RFC 6455 §9.1: offers of permessage-deflate, and the exact answers. */
import { ping, pong, text, f } from './bytes.js';
import { RSV1, message } from './deflate.js';

const request = value => ({ request: { headers: { 'Sec-WebSocket-Extensions': value } } });
const PLAIN = 'permessage-deflate; server_no_context_takeover; client_no_context_takeover';
const answer = line => ({ answer: { 'sec-websocket-extensions': line } });
const name = value => [value].flat().join(' | ');

/* The answer, and messages as agreed. `bits`: the offer names our window. */
const accepted = (value, bits) => [`${name(value)}: accepted${bits ? ` with ${bits} bits` : ''}`,
  [...message(text, 'Hello'), f(text, 'Hello'), f(ping, 'p')], [[text, 'Hello'], [text, 'Hello'], [pong, 'p']], undefined, '', {
    ...request(value), ...answer(bits ? `${PLAIN}; server_max_window_bits=${bits}` : PLAIN), deflate: { windowBits: bits ?? 15 } }];
const declined = value => [`${name(value)}: declined`,
  [f(text, 'a'), f(text, 'b', { rsv: RSV1 })], [[text, 'a']], 1002, '', { ...request(value), ...answer(undefined) }];
const refused = value => [`${name(value)}: 400`, [], [], undefined, '', { ...request(value), status: 400 }];

const offer = parameters => `permessage-deflate; ${parameters}`;
const WINDOWS = [8, 9, 10, 11, 12, 13, 14, 15];
const NO_WINDOWS = ['7', '16', '0', '1', '08', '015', '-9', '+9', '9.0', '0x9', '1e1', 'nine', '100', '4294967304', '18446744073709551625'];

export const offers = {
  '7692/5.1 Offers': [
    accepted('permessage-deflate'),
    accepted(' permessage-deflate '),
    accepted(['foo', 'permessage-deflate']),
    accepted('foo, permessage-deflate'),
    accepted('foo; x="y", bar; z, permessage-deflate'),
    accepted('permessage-deflate, permessage-deflate'),
    accepted([offer('server_max_window_bits=10'), 'permessage-deflate'], 10),
    accepted(`${offer('server_max_window_bits=10')}, ${offer('server_max_window_bits=11')}`, 10),
    accepted(`permessage-deflate, ${offer('server_max_window_bits=10')}`),
    accepted(`${offer('server_max_window_bits=7')}, permessage-deflate`),
    accepted(`${offer('unknown')}, ${offer('server_max_window_bits=12')}`, 12),
    accepted(`${offer('client_max_window_bits=99')}, ${offer('server_no_context_takeover=1')}, ${offer('client_max_window_bits')}`),
    accepted(', permessage-deflate, '),
    declined('foo'),
    declined('foo, bar; baz=1'),
    declined('x-webkit-deflate-frame'),
    declined('permessage-bzip2'),
    declined('permessage-deflate2'),
    declined(offer('unknown')),
    declined(offer('unknown=1')),
    declined(offer('server_max_window_bits=10; unknown')),
    declined(`${offer('x')}, ${offer('y')}`),
  ],
  '7692/7.1.1 Context takeover': [
    accepted(offer('server_no_context_takeover')),
    accepted(offer('client_no_context_takeover')),
    accepted(offer('server_no_context_takeover; client_no_context_takeover')),
    accepted('permessage-deflate;client_no_context_takeover;server_no_context_takeover'),
    accepted('permessage-deflate ; \t server_no_context_takeover'),
    ...['server_no_context_takeover', 'client_no_context_takeover'].flatMap(parameter => [
      declined(offer(`${parameter}=1`)), declined(offer(`${parameter}=true`)), declined(offer(`${parameter}="15"`)),
      declined(offer(`${parameter}; ${parameter}`))]),
  ],
  '7692/7.1.2 Windows': [
    ...WINDOWS.map(bits => accepted(offer(`server_max_window_bits=${bits}`), bits)),
    ...WINDOWS.map(bits => accepted(offer(`client_max_window_bits=${bits}`))),
    accepted(offer('client_max_window_bits')),
    accepted(offer('server_max_window_bits="10"'), 10),
    accepted(offer('server_max_window_bits = 10'), 10),
    accepted(offer('server_max_window_bits="1\\2"'), 12),
    accepted(offer('client_max_window_bits="10"')),
    accepted(offer('client_max_window_bits; server_max_window_bits=9'), 9),
    accepted(offer('client_max_window_bits=8; server_max_window_bits=8; client_no_context_takeover; server_no_context_takeover'), 8),
    ...NO_WINDOWS.map(bits => declined(offer(`server_max_window_bits=${bits}`))),
    ...NO_WINDOWS.slice(0, 6).map(bits => declined(offer(`client_max_window_bits=${bits}`))),
    declined(offer('server_max_window_bits')),
    declined(offer('server_max_window_bits="16"')),
    declined(offer('server_max_window_bits=10; server_max_window_bits=10')),
    declined(offer('server_max_window_bits=10; server_max_window_bits=11')),
    declined(offer('client_max_window_bits; client_max_window_bits')),
    declined(offer('client_max_window_bits; client_max_window_bits=10')),
  ],
  '9.1 The grammar of extensions': [
    '', ',', ', ,', ';', 'permessage-deflate;', '; client_max_window_bits', 'permessage-deflate; ;', 'permessage-deflate; =10',
    'permessage-deflate; server_max_window_bits=', 'permessage-deflate; server_max_window_bits==10',
    'permessage-deflate; server_max_window_bits="10', 'permessage-deflate; server_max_window_bits=10"',
    'permessage-deflate; server_max_window_bits=""', 'permessage-deflate; server_max_window_bits="1 0"',
    'permessage-deflate; server_max_window_bits=1 0', 'permessage-deflate; server_max_window_bits=(10)',
    'permessage-deflate client_max_window_bits', 'permessage/deflate', '"permessage-deflate"', 'permessage-deflate=1',
    'permessage-deflate; a b', 'permessage-deflate; a="\\', 'permessage-deflate; a="b"c', 'permessage-deflate, foo;', 'foo bar',
  ].map(refused).concat([refused(['permessage-deflate', ';']), refused(['permessage-deflate', 'a b'])]),
};
