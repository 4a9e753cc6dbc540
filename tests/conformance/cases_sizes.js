/* RFC 6455 §5.4, §5.6: large messages and many messages, in fragments and pieces of every size. */
import { binary, continuation, f, filled, filledText, fragments, ping, pong, text } from './bytes.js';
import { come, like } from './rows.js';

const KiB = 1024;
const MiB = 1024 * KiB;
const label = size => size >= MiB ? `${size / MiB} MiB` : size >= KiB ? `${size / KiB} KiB` : `${size} bytes`;

/* name, opcode, payload, groups of Autobahn */
const KINDS = [
  { name: 'text', opcode: text, fill: filledText, large: '9.1', inFragments: '9.3', inChops: '9.5', byTurns: '9.7' },
  { name: 'binary', opcode: binary, fill: filled, large: '9.2', inFragments: '9.4', inChops: '9.6', byTurns: '9.8' },
];

const LARGE = [64 * KiB, 256 * KiB, MiB, 4 * MiB, 8 * MiB, 16 * MiB];
const PIECES = [64, 256, KiB, 4 * KiB, 16 * KiB, 64 * KiB, 256 * KiB, MiB, 4 * MiB];
const CHOPS = [64, 128, 256, 512, KiB, 2 * KiB];
const SMALL = [0, 16, 64, 256, KiB, 4 * KiB];

const times = (count, one) => Array.from({ length: count }, (_, i) => one(i));

export const sizes = {
  '5.4 Large messages in fragments': [
    ...KINDS.flatMap(({ name, opcode, fill, inFragments }) => like(inFragments,
      ...PIECES.map(piece => [`${name} of 4 MiB in fragments of ${label(piece)}`,
        () => fragments(opcode, fill(4 * MiB), piece), () => [[opcode, fill(4 * MiB)]]]),
      [`${name} of 64 KiB in 65,536 fragments of one byte`,
        () => fragments(opcode, fill(64 * KiB), 1), () => [[opcode, fill(64 * KiB)]]])),
    ...like('10.1', ['text of 64 KiB in fragments of 1300 bytes',
      () => fragments(text, filledText(64 * KiB), 1300), () => [[text, filledText(64 * KiB)]]]),
    ['a ping after every fragment of 4 KiB of 1 MiB',
      () => fragments(binary, filled(MiB), 4 * KiB).flatMap((one, i) => [one, f(ping, String(i))]),
      () => [...times(255, i => [pong, String(i)]), [binary, filled(MiB)], [pong, '255']]],
  ],
  '5.6 Large messages': KINDS.flatMap(({ name, opcode, fill, large }) => like(large, ...LARGE.map(size =>
    [`${name} of ${label(size)}`, () => [f(opcode, fill(size))], () => [[opcode, fill(size)]]]))),
  '5.6 Large messages in pieces': KINDS.flatMap(({ name, opcode, fill, inChops }) => like(inChops, ...CHOPS.map(chops =>
    [`${name} of 1 MiB, ${label(chops)} per write`,
      () => [f(opcode, fill(MiB))], () => [[opcode, fill(MiB)]], undefined, '', { chops }]))),
  '5.6 Many messages': [
    ...KINDS.flatMap(({ name, opcode, fill, byTurns }) => like(byTurns,
      ...SMALL.map(size => [`a thousand ${name} messages of ${label(size)}, each after the one before has come back`,
        () => times(1000, i => [f(opcode, fill(size, i)), come(i + 1)]).flat(), () => times(1000, i => [opcode, fill(size, i)])]),
      ...[16, 4 * KiB].map(size => [`a thousand ${name} messages of ${label(size)} at once`,
        () => times(1000, i => f(opcode, fill(size, i))), () => times(1000, i => [opcode, fill(size, i)])]))),
    ['large messages and pings in turn', () => times(8, i => [f(binary, filled(MiB, i)), f(ping, String(i))]).flat(),
      () => times(8, i => [[binary, filled(MiB, i)], [pong, String(i)]]).flat()],
    ['large messages, then a failure: all come back', () => [...times(4, i => f(binary, filled(64 * KiB, i))), f(3)],
      () => times(4, i => [binary, filled(64 * KiB, i)]), 1002],
    ['fragments of a large message with a close frame between them: the message does not come back',
      () => [...fragments(binary, filled(MiB), 4 * KiB).slice(0, -1), f(8), f(continuation, 'the last')], [], null],
  ],
};
