/* Attacks with compressed messages (RFC 7692): small on the wire, large when inflated. */
import assert from 'node:assert/strict';
import { constants, deflateRawSync } from 'node:zlib';
import { OPCODE, frame } from '../support/raw_client.js';
import { COMPRESSED } from './attackers.js';
import { MIB } from './siege.js';
import { largest } from './watch.js';

const KIB = 1024;
const GIB = 1024 * MIB;
const RSV1 = 4;
const mask = Buffer.from([1, 2, 3, 4]);

/* `size` zeros. Each MiB is deflated by itself, to about a KiB, so that it can be repeated. */
const ZEROS = deflateRawSync(Buffer.alloc(MIB), { finishFlush: constants.Z_FULL_FLUSH });
const bomb = size => Buffer.concat(Array(size / MIB).fill(ZEROS));

function fragments(payload, size) {
  const frames = [];
  for (let at = 0; at < payload.length; at += size) {
    const first = at === 0;
    frames.push(frame(first ? OPCODE.binary : OPCODE.continuation, payload.subarray(at, at + size), {
      mask, fin: at + size >= payload.length, rsv: first ? RSV1 : 0 }));
  }
  return Buffer.concat(frames);
}

export const MESSAGES = [fragments(bomb(GIB), GIB), fragments(bomb(GIB), 32 * KIB), fragments(bomb(48 * MIB), GIB)];
const UNDER_WAY = frame(OPCODE.binary, ZEROS.subarray(0, 20), { mask, fin: false, rsv: RSV1 });

export const attacks = [
  {
    name: '200 inflate bombs at once, five times: 1 GiB whole and in fragments, 48 MiB in 50 KB',
    config: { compression: { enabled: true } },
    growth: 32,
    async attack({ launch, sluice }) {
      const count = 200, rounds = 5;
      await launch('bomb', { count, rounds, messages: MESSAGES }).result();
      assert.equal(await sluice.metric('sluice_closes_total{code="1009"}'), count * rounds);
      return `${count * rounds} closed with 1009`;
    },
  },
  {
    name: '4,000 compressed messages that never end',
    config: { compression: { enabled: true }, limits: { incoming_bytes: 64 * MIB } },
    growth: 96,
    async attack({ launch, sluice }) {
      const flood = launch('flood', { count: 4000, rate: 2000, headers: COMPRESSED, bytes: UNDER_WAY });
      const { worst } = await largest(sluice, 'sluice_incoming_bytes', flood.result());
      assert.ok(worst > 54 * MIB && worst < 65 * MIB, `${worst} bytes were held`);
      return `${await sluice.metric('sluice_closes_total{code="1013"}')} closed with 1013`;
    },
  },
];
