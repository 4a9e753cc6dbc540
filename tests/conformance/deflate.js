/* A client's side of permessage-deflate (RFC 7692), and no more of it than the cases need. */
import assert from 'node:assert/strict';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { continuation, f } from './octets.js';

const { Z_SYNC_FLUSH } = constants;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const SMALLEST = 9; // zlib cannot write raw deflate for a window of 8 bits

export const RSV1 = 4;

/* A payload compressed as §7.2.1 says. `options` are zlib's; a `dictionary` is the window that a
 * client would have who takes its context over. */
export function deflated(payload, { windowBits = 15, ...options } = {}) {
  const bytes = deflateRawSync(payload, { windowBits: Math.max(windowBits, SMALLEST), finishFlush: Z_SYNC_FLUSH, ...options });
  assert.ok(bytes.subarray(-4).equals(TAIL));
  return bytes.subarray(0, -4);
}

/* A message of octets that are compressed already, in fragments of `size`: RSV1 is on the first. */
export function packed(opcode, bytes, size = Infinity) {
  const list = [];
  for (let at = 0; at === 0 || at < bytes.length; at += size)
    list.push(f(at === 0 ? opcode : continuation, bytes.subarray(at, at + size), {
      fin: at + size >= bytes.length, rsv: at === 0 ? RSV1 : 0 }));
  return list;
}

export const message = (opcode, payload, options) => packed(opcode, deflated(payload, options));

/* The frames with their messages as they were before the gateway has compressed them: each for itself,
 * as it has promised to take over no context (§7.1.1.1), and in a window of so many bits. The echo
 * compresses every message, though no server needs to. */
export function inflated(frames, { windowBits = 15 }) {
  return frames.map(([opcode, payload, compressed]) => {
    assert.equal(compressed, opcode < 8, 'a message is compressed, and a control frame is not');
    if (!compressed) return [opcode, payload];
    assert.ok(!payload.subarray(-4).equals(TAIL), 'the tail was sent');
    return [opcode, inflateRawSync(Buffer.concat([payload, TAIL]), { windowBits, finishFlush: Z_SYNC_FLUSH })];
  });
}
