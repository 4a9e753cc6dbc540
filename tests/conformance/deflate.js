/* The client side of permessage-deflate (RFC 7692), as far as the cases need it. */
import assert from 'node:assert/strict';
import { constants, deflateRawSync, inflateRawSync } from 'node:zlib';
import { continuation, f } from './bytes.js';

const { Z_SYNC_FLUSH } = constants;
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const SMALLEST = 9; // zlib cannot write raw deflate for a window of 8 bits

export const RSV1 = 4;

/* Compresses a payload as in §7.2.1. `options` are those of zlib; a `dictionary` is the window of a client with
 * context takeover. */
export function deflated(payload, { windowBits = 15, ...options } = {}) {
  const bytes = deflateRawSync(payload, { windowBits: Math.max(windowBits, SMALLEST), finishFlush: Z_SYNC_FLUSH, ...options });
  assert.ok(bytes.subarray(-4).equals(TAIL));
  return bytes.subarray(0, -4);
}

/* A message of compressed bytes in fragments of `size`, with RSV1 on the first. */
export function packed(opcode, bytes, size = Infinity) {
  const list = [];
  for (let at = 0; at === 0 || at < bytes.length; at += size)
    list.push(f(at === 0 ? opcode : continuation, bytes.subarray(at, at + size), {
      fin: at + size >= bytes.length, rsv: at === 0 ? RSV1 : 0 }));
  return list;
}

export const message = (opcode, payload, options) => packed(opcode, deflated(payload, options));

/* The frames with inflated messages: each by itself, as the gateway has announced no context takeover (§7.1.1.1),
 * and in a window of `windowBits`. The echo compresses every message, which no server has to. */
export function inflated(frames, { windowBits = 15 }) {
  return frames.map(([opcode, payload, compressed]) => {
    assert.equal(compressed, opcode < 8, 'a message is compressed, and a control frame is not');
    if (!compressed) return [opcode, payload];
    assert.ok(!payload.subarray(-4).equals(TAIL), 'the tail was sent');
    return [opcode, inflateRawSync(Buffer.concat([payload, TAIL]), { windowBits, finishFlush: Z_SYNC_FLUSH })];
  });
}
